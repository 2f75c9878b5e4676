/* SPDX-License-Identifier: MIT */
/* Socket options and questions while the connection is in progress. */
#include "async/early/early.h"
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

/* The socket changes between blocking and non-blocking. */
TEST(mode) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET), on = 1, off = 0;
  fact("FIONBIO: %s", result(ioctl(fd, FIONBIO, &on)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("read: %s", returned(read(fd, &(char){0}, 1)));
  fact("FIONBIO: %s", result(ioctl(fd, FIONBIO, &off)));
  struct timeval limit = {.tv_usec = 20000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fact("read: %s", returned(read(fd, &(char){0}, 1)));
  fact("write: %s", returned(write(fd, "hello\n", 6)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("flags: %x", fcntl(fd, F_GETFL));
  fact("F_SETFL: %s", result(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC)));
  fact("read: %s", returned(read(fd, &(char){0}, 1)));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("flags: %x", fcntl(fd, F_GETFL));
  memset(&limit, 0, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  check_connected(fd, &server);
}

static int number_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

TEST(questions) {
  struct server server = slow_server();
  int fd = pending_socket(&server), n = -1;
  for (int i = 0; i < 3; ++i) {
    fact("SO_ERROR: %s, SO_ACCEPTCONN: %d, SO_TYPE: %d", so_error(fd), option(fd, SO_ACCEPTCONN), option(fd, SO_TYPE));
    fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
    fact("bytes: %d", n);
    fact("SIOCATMARK: %s", result(ioctl(fd, SIOCATMARK, &n)));
    fact("SIOCOUTQ: %s", result(ioctl(fd, SIOCOUTQ, &n)));
    fact("to send: %d", n);
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    fact("name: %s", result(getsockname(fd, (struct sockaddr*)&name, &length)));
    fact("a port: %d", name.sin_port != 0);
    fact("SO_RCVLOWAT: %d, SO_SNDLOWAT: %d", option(fd, SO_RCVLOWAT), option(fd, SO_SNDLOWAT));
    if (i == 0)
      tell(&server, "await 1");
    if (i == 1)
      tell(&server, "drip 7");
  }
  tell(&server, "grant hello");
  fact("poll: %s", polled(fd, POLLIN, -1));
  fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
  fact("bytes: %d", n);
}

/* Options that are set while the connection is in progress still hold afterwards. */
TEST(options) {
  struct server server = slow_server();
  int fd = pending_socket(&server), on = 1;
  struct linger linger = {1, 7};
  fact("TCP_NODELAY: %s", result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)));
  fact("SO_KEEPALIVE: %s", result(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on)));
  fact("SO_LINGER: %s", result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger)));
  fact("SO_OOBINLINE: %s", result(setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on)));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("%d %d %d %d", number_of(fd, IPPROTO_TCP, TCP_NODELAY), option(fd, SO_KEEPALIVE), option(fd, SO_LINGER),
       option(fd, SO_OOBINLINE));
}

/* SO_RCVLOWAT, set before connect(), while it is in progress, or both: it counts the program's bytes only. A negative
   value sets nothing. */
static void low_water(int before, int pending) {
  struct server server = slow_server();
  int fd = nonblocking_socket();
  if (before)
    fact("before: %s", result(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &before, sizeof before)));
  reach(fd, &server);
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  if (pending >= 0)
    fact("in progress: %s", result(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &pending, sizeof pending)));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  tell(&server, "await 1");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "drip 7");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, -1));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  tell(&server, "say 123"); /* four bytes */
  fact("poll: %s", polled(fd, POLLIN, 10));
  tell(&server, "say 567");
  fact("poll: %s", polled(fd, POLLIN, -1));
  int n = 0;
  fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
  fact("bytes: %d", n);
}

TEST(low_water_before) { low_water(6, -1); }

TEST(low_water_pending) { low_water(0, 6); }

TEST(low_water_both) { low_water(20, 7); }

TEST(low_water_zero) { low_water(6, 0); }

TEST(low_water_blocking) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET), mark = 100;
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
}
