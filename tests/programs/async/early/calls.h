/* SPDX-License-Identifier: MIT */
/* Every call that moves data: "hello\n" to the peer, or six bytes from it into `buffer`. */
#pragma once
#include "async/early/early.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

static char buffer[64];

static inline int some_file(void) {
  static int fd = -1;
  char name[] = "/tmp/socksify-test.XXXXXX";
  if (fd < 0 && ((fd = mkstemp(name)) < 0 || unlink(name) != 0 || write(fd, "hello\n", 6) != 6))
    die("file");
  return fd;
}

static struct iovec parts[2] = {{buffer, 2}, {buffer + 2, 4}};
static struct iovec hello[2] = {{"he", 2}, {"llo\n", 4}};

static inline ssize_t by_read(int fd) { return read(fd, buffer, 6); }

static inline ssize_t by_readv(int fd) { return readv(fd, parts, 2); }

static inline ssize_t by_preadv2(int fd) { return preadv2(fd, parts, 2, -1, 0); }

static inline ssize_t by_recv(int fd) { return recv(fd, buffer, 6, 0); }

static inline ssize_t by_recv_peek(int fd) { return recv(fd, buffer, 6, MSG_PEEK); }

static inline ssize_t by_recv_all(int fd) { return recv(fd, buffer, 6, MSG_WAITALL); }

static inline ssize_t by_recv_trunc(int fd) { return recv(fd, NULL, 6, MSG_TRUNC); }

static inline ssize_t by_recvfrom(int fd) { return recvfrom(fd, buffer, 6, 0, NULL, NULL); }

static inline ssize_t by_recvmsg(int fd) { return recvmsg(fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2}, 0); }

static inline ssize_t by_recvmmsg(int fd) {
  struct mmsghdr one = {.msg_hdr = {.msg_iov = parts, .msg_iovlen = 2}};
  int n = recvmmsg(fd, &one, 1, 0, NULL);
  return n < 0 ? n : n == 1 ? (ssize_t)one.msg_len : -2;
}

static inline ssize_t by_splice_from(int fd) {
  int ends[2];
  if (pipe(ends) != 0)
    die("pipe");
  ssize_t n = splice(fd, NULL, ends[1], NULL, 6, 0), got = n > 0 ? read(ends[0], buffer, 6) : n;
  close(ends[0]), close(ends[1]);
  return got;
}

static inline ssize_t by_write(int fd) { return write(fd, "hello\n", 6); }

static inline ssize_t by_writev(int fd) { return writev(fd, hello, 2); }

static inline ssize_t by_pwritev2(int fd) { return pwritev2(fd, hello, 2, -1, 0); }

static inline ssize_t by_send(int fd) { return send(fd, "hello\n", 6, 0); }

static inline ssize_t by_send_nosignal(int fd) { return send(fd, "hello\n", 6, MSG_NOSIGNAL); }

static inline ssize_t by_sendto(int fd) { return sendto(fd, "hello\n", 6, 0, NULL, 0); }

static inline ssize_t by_sendmsg(int fd) { return sendmsg(fd, &(struct msghdr){.msg_iov = hello, .msg_iovlen = 2}, 0); }

static inline ssize_t by_sendmmsg(int fd) {
  struct mmsghdr one = {.msg_hdr = {.msg_iov = hello, .msg_iovlen = 2}};
  int n = sendmmsg(fd, &one, 1, 0);
  return n < 0 ? n : n == 1 ? (ssize_t)one.msg_len : -2;
}

static inline ssize_t by_sendfile(int fd) { return sendfile(fd, some_file(), &(off_t){0}, 6); }

static inline ssize_t by_splice_to(int fd) {
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], "hello\n", 6) != 6)
    die("pipe");
  ssize_t n = splice(ends[0], NULL, fd, NULL, 6, 0);
  int error = errno;
  close(ends[0]), close(ends[1]);
  errno = error;
  return n;
}

static const struct call {
  const char* name;
  ssize_t (*run)(int fd);
  int reads;
} calls[] = {
    {"read", by_read, 1},
    {"readv", by_readv, 1},
    {"preadv2", by_preadv2, 1},
    {"recv", by_recv, 1},
    {"recv_peek", by_recv_peek, 1},
    {"recv_all", by_recv_all, 1},
    {"recv_trunc", by_recv_trunc, 1},
    {"recvfrom", by_recvfrom, 1},
    {"recvmsg", by_recvmsg, 1},
    {"recvmmsg", by_recvmmsg, 1},
    {"splice_from", by_splice_from, 1},
    {"write", by_write, 0},
    {"writev", by_writev, 0},
    {"pwritev2", by_pwritev2, 0},
    {"send", by_send, 0},
    {"send_nosignal", by_send_nosignal, 0},
    {"sendto", by_sendto, 0},
    {"sendmsg", by_sendmsg, 0},
    {"sendmmsg", by_sendmmsg, 0},
    {"sendfile", by_sendfile, 0},
    {"splice_to", by_splice_to, 0},
};
