/* SPDX-License-Identifier: MIT */
/* A connection made and awaited by syscall(2), as some runtimes do it. */
#include "slow_server.h"
#include <sys/ioctl.h>

static struct server server;

static int begin_raw_connect(void) {
  int fd = nonblocking_socket();
  socklen_t length;
  server = slow_server();
  struct sockaddr_storage to = parse_address(server.where, AF_INET, &length);
  fact("connect: %s", result(syscall(SYS_connect, fd, &to, length)));
  return fd;
}

TEST(epoll) {
  int fd = begin_raw_connect(), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = 4711};
  fact("add: %s", result(syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, fd, &event)));
  fact("held: %ld", syscall(SYS_epoll_pwait, set, &event, 1, 20, NULL, 8));
  tell(&server, "grant");
  fact("granted: %ld", syscall(SYS_epoll_pwait, set, &event, 1, -1, NULL, 8));
  fact("%s, data %llu", events(event.events), (unsigned long long)event.data.u64);
  check_connected(fd, &server);
  check_requests(&server, 1);
}

TEST(ppoll) {
  int fd = begin_raw_connect();
  struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};
  struct timespec limit = {0, 20000000};
  fact("held: %ld", syscall(SYS_ppoll, &one, 1, &limit, NULL, 8));
  tell(&server, "grant");
  fact("granted: %ld", syscall(SYS_ppoll, &one, 1, NULL, NULL, 8));
  fact("%s", events(one.revents));
  check_connected(fd, &server);
}

TEST(premature) {
  int fd = begin_raw_connect();
  char byte;
  fact("send: %s", result(syscall(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, NULL, 0)));
  fact("recv: %s", result(syscall(SYS_recvfrom, fd, &byte, 1, 0, NULL, NULL)));
  fact("peer: %s", peer_address(fd));
  tell(&server, "grant");
  fact("%s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
  check_requests(&server, 1);
}

TEST(premature_transfers) {
  int fd = begin_raw_connect(), pipes[2], unread = 7;
  struct iovec part = {"x", 1};
  loff_t start = 0;
  FILE* file = tmpfile();
  fputs("x", file);
  fflush(file);
  if (pipe(pipes) != 0 || write(pipes[1], "x", 1) != 1)
    die("pipe");
  fact("pwritev2: %s", result(syscall(SYS_pwritev2, fd, &part, 1, -1L, -1L, 0)));
  fact("preadv2: %s", result(syscall(SYS_preadv2, fd, &part, 1, -1L, -1L, 0)));
  fact("sendfile: %s", result(syscall(SYS_sendfile, fd, fileno(file), &start, 1)));
  fact("splice: %s", result(syscall(SYS_splice, pipes[0], NULL, fd, NULL, 1, 0)));
  tell(&server, "grant");
  fact("%s", polled(fd, POLLOUT, -1));
  fact("ioctl: %s, %d", result(syscall(SYS_ioctl, fd, FIONREAD, &unread)), unread);
  check_connected(fd, &server);
}

/* A call without a hook, and one that returns twice. */
TEST(others) {
  fact("getpid: %s", syscall(SYS_getpid) == getpid() ? "the same" : "another");
  fact("no such call: %s", result(syscall(100000)));
  long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0)
    _exit(7);
  int status = 0;
  waitpid(child, &status, 0);
  fact("clone: %d", WEXITSTATUS(status));
}
