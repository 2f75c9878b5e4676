/* SPDX-License-Identifier: MIT */
/* A socket is closed while its connection is in progress, and its descriptor number is reused: only the new file may
   report events. */
#include "async/epoll/epoll.h"

static void check_reuse(int make(void), int bits) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set(), other = new_set();
  add(set, fd, EPOLLOUT | EPOLLIN, 7);
  add(other, fd, EPOLLOUT | EPOLLIN | EPOLLET, 17);
  show_events("at once", set, 0);
  close(fd);
  int next = make();
  fact("the same number: %d", next == fd);
  fact("add: %s", result(add(set, next, bits, 8)));
  tell(&server, "grant");
  show_events("reused", set, 10);
  show_events("the other set", other, 0);
  fact("poll: %s", polled(next, POLLIN | POLLOUT, 0));
  fact("modify: %s", result(modify(set, next, bits, 9)));
  fact("modify in the other: %s", result(modify(other, next, bits, 9)));
  show_events("modified", set, 10);
  fact("delete: %s", result(unregister(set, next)));
  show_events("deleted", set, 0);
}

static int some_file(void) { return open("/dev/zero", O_RDWR); }

static int some_pipe(void) {
  int ends[2];
  return pipe(ends) ? -1 : ends[0];
}

static int full_pipe(void) {
  int ends[2];
  return pipe(ends) == 0 && write(ends[1], "x", 1) == 1 ? ends[0] : -1;
}

static int some_socket(void) { return nonblocking_socket(); }

static int some_pair(void) {
  int ends[2];
  return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ? -1 : ends[0];
}

TEST(reused_by_file) { check_reuse(some_file, EPOLLIN); }

TEST(reused_by_pipe) { check_reuse(some_pipe, EPOLLIN); }

TEST(reused_by_full_pipe) { check_reuse(full_pipe, EPOLLIN); }

TEST(reused_by_socket) { check_reuse(some_socket, EPOLLIN | EPOLLOUT); }

TEST(reused_by_pair) { check_reuse(some_pair, EPOLLIN | EPOLLOUT | EPOLLET); }

/* The same number again and again, each time for a new connection. */
TEST(reused_by_pending) {
  int set = new_set(), number = -1;
  for (int i = 0; i < 5; ++i) {
    struct server server = slow_server();
    int fd = pending_socket(&server);
    fcntl(fd, F_DUPFD, 100);
    close(fd), close(100);
    struct server next = slow_server();
    fd = pending_socket(&next);
    if (number >= 0 && fd != number)
      fact("a different number");
    number = fd;
    fact("add: %s", result(add(set, fd, EPOLLIN | EPOLLOUT, 100 + i)));
    show_events("at once", set, 0);
    tell(&server, "grant");
    show_events("the closed one is granted", set, 10);
    tell(&next, i == 3 ? "refuse" : "grant");
    show_events("granted", set, -1);
    close(fd);
    close(server.control), close(next.control);
  }
}
