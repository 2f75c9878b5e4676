/* SPDX-License-Identifier: MIT */
/* Calls with pointers that lead nowhere, on sockets in several states. The kernel says EFAULT to most. Each call is
   made in a child, because it may crash. */
#include "slow_server.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char* bad; /* not readable; the page before it is */

/* The compiler need not know them. */
static void* volatile nothing;
static volatile int negative = -1, too_many = 1 << 20;

#define TRY(call)                                                                                                      \
  do {                                                                                                                 \
    fflush(stdout);                                                                                                    \
    if (fork() == 0) {                                                                                                 \
      alarm(60);                                                                                                       \
      fact("%s: %s", #call, result(call));                                                                             \
      _exit(0);                                                                                                        \
    }                                                                                                                  \
    int status = exit_status_of_child();                                                                               \
    if (status != 0)                                                                                                   \
      fact("%s: %s", #call, strsignal(WTERMSIG(status)));                                                              \
  } while (0)

static struct sockaddr_storage address;
static struct sockaddr* const good = (struct sockaddr*)&address;
static socklen_t length;

static void try_addresses(int fd) {
  length = sizeof address;
  TRY(connect(fd, (void*)bad, 16));
  TRY(connect(fd, (void*)(bad - 4), 16));
  TRY(connect(fd, (void*)-1, 16));
  TRY(connect(fd, NULL, 16));
  TRY(bind(fd, (void*)bad, 16));
  TRY(getsockname(fd, (void*)bad, &length));
  TRY(getsockname(fd, good, (void*)bad));
  TRY(getsockname(fd, NULL, NULL));
  TRY(getpeername(fd, (void*)bad, &length));
  TRY(getpeername(fd, (void*)(bad - 4), &length));
  TRY(getpeername(fd, good, (void*)bad));
  TRY(getpeername(fd, good, (void*)-1));
  TRY(getpeername(fd, NULL, NULL));
  nonblocking(fd);
  TRY(accept(fd, (void*)bad, &length));
  TRY(accept4(fd, good, (void*)bad, 0));
}

static void try_options(int fd) {
  int value = 1;
  length = sizeof value;
  TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, bad, &length));
  TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, (void*)bad));
  TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, NULL, NULL));
  TRY(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, bad, &length));
  TRY(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, (void*)bad));
  TRY(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, bad, 4));
  TRY(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, 1));
  TRY(ioctl(fd, FIONREAD, bad));
}

static void try_waits(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  struct timeval now = {0};
  struct timespec at_once = {0};
  TRY(poll((void*)bad, 1, 0));
  TRY(poll((void*)(bad - 8), 2, 0));
  TRY(poll(nothing, 1, 0));
  TRY(poll(&(struct pollfd){fd, POLLOUT, 0}, 1000 * too_many, 0));
  TRY(ppoll((void*)bad, 1, &at_once, NULL));
  TRY(ppoll(&(struct pollfd){fd, POLLPRI, 0}, 1, (void*)bad, NULL));
  TRY(select(fd + 1, (void*)bad, NULL, NULL, &now));
  TRY(select(fd + 1, NULL, NULL, NULL, (void*)bad));
  TRY(pselect(fd + 1, NULL, (void*)bad, NULL, &at_once, NULL));
  TRY(pselect(fd + 1, NULL, NULL, NULL, (void*)bad, NULL));
  TRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, (void*)bad));
  TRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
  TRY(epoll_ctl(-1, EPOLL_CTL_ADD, fd, &event));
  TRY(epoll_wait(set, (void*)bad, 1, 0));
  TRY(epoll_pwait2(set, &event, 1, (void*)bad, NULL));
  TRY(epoll_wait(fd, &event, 1, 0));
  close(set);
}

enum { QUIETLY = MSG_NOSIGNAL | MSG_DONTWAIT };

static void try_messages(int fd) {
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr no_parts = {.msg_iov = (void*)bad, .msg_iovlen = 1};
  struct msghdr no_name = {.msg_iov = &part, .msg_iovlen = 1, .msg_name = bad, .msg_namelen = 16};
  struct mmsghdr many = {.msg_hdr = no_parts};
  TRY(sendto(fd, &byte, 1, QUIETLY, (void*)bad, 16));
  TRY(sendto(fd, &byte, 1, QUIETLY, (void*)-1, 16));
  TRY(sendto(fd, &byte, 1, QUIETLY | MSG_FASTOPEN, (void*)bad, 16));
  TRY(sendmsg(fd, (void*)bad, QUIETLY));
  TRY(sendmsg(fd, &no_name, QUIETLY));
  TRY(recvmsg(fd, (void*)bad, MSG_DONTWAIT));
  TRY(sendmmsg(fd, (void*)bad, 1, QUIETLY));
  TRY(recvmmsg(fd, (void*)bad, 1, MSG_DONTWAIT, NULL));
  TRY(sendmsg(fd, &no_parts, QUIETLY));
  TRY(recvmsg(fd, &no_parts, MSG_DONTWAIT));
  TRY(sendmmsg(fd, &many, 1, QUIETLY));
}

static void try_parts(int fd) {
  char byte = 'x';
  struct iovec part = {&byte, 1};
  TRY(readv(fd, (void*)bad, 0));
  TRY(readv(fd, (void*)bad, 1));
  TRY(writev(fd, (void*)bad, 1));
  TRY(writev(fd, (void*)(bad - sizeof part), 2));
  TRY(writev(fd, &part, negative));
  TRY(writev(fd, &part, too_many));
  TRY(readv(fd, &part, too_many));
}

/* A socket has no offset, nor has a pipe. */
static void try_offsets(int fd) {
  int ends[2], file = open("/proc/self/exe", O_RDONLY);
  off_t start = 0;
  if (file < 0 || pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
    die("files");
  TRY(sendfile(fd, file, (void*)bad, 1));
  TRY(sendfile(fd, file, (void*)(bad - 4), 1));
  TRY(sendfile(fd, file, (void*)-1, 1));
  TRY(sendfile64(fd, file, (void*)bad, 1));
  TRY(sendfile(fd, file, &start, 0));
  TRY(splice(ends[0], NULL, fd, (void*)bad, 1, SPLICE_F_NONBLOCK));
  TRY(splice(ends[0], (void*)bad, fd, NULL, 1, SPLICE_F_NONBLOCK));
  TRY(splice(ends[0], NULL, fd, &(loff_t){0}, 1, SPLICE_F_NONBLOCK));
  TRY(splice(fd, (void*)bad, ends[1], NULL, 1, SPLICE_F_NONBLOCK));
  TRY(splice(fd, NULL, ends[1], (void*)bad, 1, SPLICE_F_NONBLOCK));
  TRY(splice(fd, NULL, ends[1], NULL, 0, SPLICE_F_NONBLOCK));
  close(file);
  close(ends[0]);
  close(ends[1]);
}

static void make_bad(void) {
  const long page = sysconf(_SC_PAGESIZE);
  bad = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bad += page;
  mprotect(bad, page, PROT_NONE);
}

static void try_all(int fd) {
  make_bad();
  try_messages(fd);
  try_parts(fd);
  try_offsets(fd);
  try_waits(fd);
  try_options(fd);
  try_addresses(fd);
}

TEST(closed) { try_all(99); }
TEST(fresh) { try_all(tcp_socket(AF_INET)); }
TEST(datagram) { try_all(nonblocking(socket(AF_INET, SOCK_DGRAM, 0))); }

TEST(pending) {
  struct server server = slow_server();
  try_all(pending_socket(&server));
}

/* Another socket of the process is pending. */
TEST(fresh_beside_pending) {
  struct server server = slow_server();
  pending_socket(&server);
  try_all(tcp_socket(AF_INET));
}
