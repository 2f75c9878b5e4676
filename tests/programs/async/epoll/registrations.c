/* SPDX-License-Identifier: MIT */
/* Registrations that are made, changed and deleted while the connection is in progress. */
#include "async/epoll/epoll.h"

/* Any data word may belong to the program: none is confused with another, or with those of the library. */
TEST(data_words) {
  static const uint64_t values[] = {0, 1, UINT64_MAX, 0x8000000000000000, 0x7fff00000010, 5, 0xdeadbeefcafef00d};
  enum { count = sizeof values / sizeof *values };
  struct server server[count];
  int set = new_set(), fd[count];
  for (int i = 0; i < count; ++i) {
    server[i] = slow_server();
    fd[i] = nonblocking_socket();
    if (i % 2)
      add(set, fd[i], EPOLLOUT | EPOLLIN, values[i]);
    reach(fd[i], &server[i]);
    if (!(i % 2))
      add(set, fd[i], EPOLLOUT | EPOLLIN, values[i]);
  }
  show_events("at once", set, 10);
  for (int i = 0; i < count; ++i) {
    tell(&server[i], i % 3 ? "grant" : "refuse");
    show_events("next", set, -1);
    unregister(set, fd[i]);
  }
  show_events("after all", set, 0);
}

TEST(changed) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  fact("modify an unregistered socket: %s", result(modify(set, fd, EPOLLOUT, 1)));
  fact("delete an unregistered socket: %s", result(unregister(set, fd)));
  fact("add: %s", result(add(set, fd, EPOLLIN, 2)));
  fact("add again: %s", result(add(set, fd, EPOLLIN, 2)));
  fact("modify: %s", result(modify(set, fd, EPOLLOUT, 3)));
  show_events("at once", set, 10);
  fact("modify: %s", result(modify(set, fd, EPOLLOUT | EPOLLIN, 4)));
  tell(&server, "await 1");
  show_events("with the request at the server", set, 10);
  fact("modify: %s", result(modify(set, fd, EPOLLOUT | EPOLLET, 5)));
  tell(&server, "drip 4");
  show_events("with half of the reply", set, 10);
  fact("modify: %s", result(modify(set, fd, EPOLLOUT | EPOLLIN | EPOLLET, 6)));
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 0);
  fact("modify: %s", result(modify(set, fd, EPOLLOUT, 7)));
  show_events("modified", set, 0);
  fact("modify: %s", result(modify(set, fd, EPOLLIN, 8)));
  show_events("modified", set, 0);
  check_connected(fd, &server);
}

TEST(deleted) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  add(set, fd, EPOLLOUT, 1);
  show_events("at once", set, 10);
  fact("delete: %s", result(unregister(set, fd)));
  fact("delete again: %s", result(unregister(set, fd)));
  tell(&server, "grant");
  show_events("deleted", set, 10);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  show_events("deleted", set, 10);
  fact("add: %s", result(add(set, fd, EPOLLOUT, 2)));
  show_events("added", set, 0);
}

TEST(deleted_and_added) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLIN | EPOLLET, 1);
  reach(fd, &server);
  fact("delete: %s", result(unregister(set, fd)));
  fact("add: %s", result(add(set, fd, EPOLLOUT | EPOLLET, 2)));
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 0);
  check_connected(fd, &server);
}

/* Without events, a registration still reports errors; then it asks for one. */
TEST(no_events_wanted) {
  struct server good = slow_server(), bad = slow_server();
  int fd = pending_socket(&good), other = pending_socket(&bad), set = new_set();
  add(set, fd, 0, 1);
  add(set, other, 0, 2);
  show_events("at once", set, 10);
  tell(&good, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  show_events("granted", set, 0);
  tell(&bad, "refuse");
  show_events("refused", set, -1);
  fact("SO_ERROR: %s", so_error(other));
  show_events("asked", set, 0);
  modify(set, fd, EPOLLOUT, 3);
  show_events("modified", set, 0);
}

/* A variable, or the compiler rejects the call. */
static volatile int negative = -1;

TEST(invalid_arguments) {
  struct server server = slow_server();
  int set = new_set(), fd = pending_socket(&server), file = open("/dev/null", O_RDWR);
  struct epoll_event event = {.events = EPOLLOUT};
  add(set, fd, EPOLLOUT, 1);
  fact("no room for events: %s", result(epoll_wait(set, &event, 0, 0)));
  fact("a negative count: %s", result(epoll_wait(set, &event, negative, 0)));
  fact("not a set: %s", result(epoll_wait(file, &event, 1, 0)));
  fact("no descriptor: %s", result(epoll_wait(-1, &event, 1, 0)));
  fact("ctl of no descriptor: %s", result(epoll_ctl(set, EPOLL_CTL_ADD, -1, &event)));
  fact("ctl of no set: %s", result(epoll_ctl(-1, EPOLL_CTL_ADD, fd, &event)));
  fact("ctl of a file as a set: %s", result(epoll_ctl(file, EPOLL_CTL_MOD, fd, &event)));
  fact("ctl of a socket as a set: %s", result(epoll_ctl(fd, EPOLL_CTL_ADD, set, &event)));
  fact("ctl of itself: %s", result(epoll_ctl(set, EPOLL_CTL_ADD, set, &event)));
  fact("unknown operation: %s", result(epoll_ctl(set, 77, fd, &event)));
  fact("unknown operation on another: %s", result(epoll_ctl(set, 77, file, &event)));
  fact("no event: %s", result(epoll_ctl(set, EPOLL_CTL_MOD, fd, NULL)));
  fact("delete with an event: %s", result(epoll_ctl(set, EPOLL_CTL_DEL, fd, &event)));
  fact("a file: %s", result(epoll_ctl(set, EPOLL_CTL_ADD, open("/dev/zero", O_RDONLY), &event)));
  struct timespec odd = {.tv_nsec = 1000000000};
  fact("invalid time: %s", result(epoll_pwait2(set, &event, 1, &odd, NULL)));
}

/* A socket that was registered while it was connected is taken back and connected again. */
TEST(connected_again) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set(), other = new_set();
  tell(&server, "grant");
  reach(fd, &server);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  add(set, fd, EPOLLOUT, 1);
  add(other, fd, EPOLLOUT | EPOLLIN | EPOLLET, 2);
  show_events("connected", set, 0);
  tell(&server, "hold");
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  fact("taken back: %s", result(connect(fd, &none, sizeof none)));
  reach(fd, &server);
  tell(&server, "await 2");
  show_events("at once", set, 10);
  show_events("at once", other, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("granted", other, 1000);
  check_connected(fd, &server);
}

/* Registered after a failure, and connected again. */
TEST(registered_after_refusal) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  add(set, fd, EPOLLOUT, 1);
  fact("SO_ERROR: %s", so_error(fd));
  tell(&server, "hold");
  reach(fd, &server);
  reach(fd, &server);
  show_events("connected again", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
}
