/* SPDX-License-Identifier: MIT */
/* One socket in several sets, nested sets, and sets with several descriptors or none. */
#include "async/epoll/epoll.h"

/* One socket in several sets, with different events. */
TEST(sets) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set[4];
  for (int i = 0; i < 4; ++i)
    set[i] = new_set();
  add(set[0], fd, EPOLLOUT, 10);
  add(set[1], fd, EPOLLIN | EPOLLRDHUP, 11);
  reach(fd, &server);
  add(set[2], fd, EPOLLOUT | EPOLLET, 12);
  add(set[3], fd, EPOLLOUT | EPOLLONESHOT, 13);
  for (int i = 0; i < 4; ++i)
    show_events("at once", set[i], 0);
  tell(&server, "grant");
  for (int i = 3; i >= 0; --i)
    show_events("granted", set[i], i == 1 ? 0 : -1);
  for (int i = 0; i < 4; ++i)
    show_events("again", set[i], 0);
  tell(&server, "say x");
  show_events("input", set[1], -1);
  check_connected(fd, &server);
}

/* More sets than a small fixed table holds. */
TEST(many_sets) {
  enum { count = 40 };
  struct server server = slow_server();
  int fd = nonblocking_socket(), set[count];
  for (int i = 0; i < count / 2; ++i)
    set[i] = new_set(), add(set[i], fd, EPOLLOUT | EPOLLIN, i);
  reach(fd, &server);
  for (int i = count / 2; i < count; ++i)
    set[i] = new_set(), add(set[i], fd, EPOLLOUT | EPOLLIN, i);
  for (int i = 0; i < count; ++i)
    show_events("at once", set[i], 0);
  tell(&server, "drip 3");
  for (int i = 0; i < count; ++i)
    show_events("soon", set[i], 0);
  tell(&server, "grant");
  for (int i = 0; i < count; ++i)
    show_events("granted", set[i], -1);
  check_connected(fd, &server);
}

/* A set in a set in a set. */
TEST(nested) {
  struct server server = slow_server();
  int inner = new_set(), middle = new_set(), outer = new_set(), fd = pending_socket(&server);
  add(middle, inner, EPOLLIN | EPOLLET, 2);
  add(outer, middle, EPOLLIN, 3);
  add(inner, fd, EPOLLOUT, 1);
  show_events("outer", outer, 10);
  show_events("middle", middle, 10);
  fact("poll of the outer: %s", polled(outer, POLLIN, 10));
  tell(&server, "drip 5");
  fact("poll of the outer: %s", polled(outer, POLLIN, 10));
  tell(&server, "grant");
  fact("poll of the outer: %s", polled(outer, POLLIN, -1));
  show_events("outer", outer, 0);
  show_events("middle", middle, 0);
  show_events("inner", inner, 0);
  show_events("inner", inner, 0);
  check_connected(fd, &server);
}

/* A set is closed, and another set reuses its number. */
TEST(set_closed) {
  struct server server = slow_server();
  int set = new_set(), fd = pending_socket(&server);
  add(set, fd, EPOLLOUT, 1);
  close(set);
  int other = new_set();
  fact("the same number: %d", other == set);
  show_events("another set", other, 0);
  fact("modify: %s", result(modify(other, fd, EPOLLOUT, 2)));
  tell(&server, "drip 3");
  fact("poll: %s", polled(fd, POLLOUT, 10));
  fact("add: %s", result(add(other, fd, EPOLLOUT | EPOLLIN, 3)));
  tell(&server, "grant");
  show_events("granted", other, -1);
}

/* Registrations belong to the set, whatever descriptor it is reached by. */
TEST(set_dup) {
  struct server server = slow_server();
  int set = new_set(), copy = dup(set), fd = pending_socket(&server);
  add(set, fd, EPOLLOUT, 1);
  fact("modify: %s", result(modify(copy, fd, EPOLLOUT | EPOLLIN, 2)));
  fact("add again: %s", result(add(copy, fd, EPOLLOUT, 2)));
  show_events("at once", copy, 10);
  tell(&server, "grant");
  show_events("granted", copy, -1);
  fact("delete: %s", result(unregister(copy, fd)));
  show_events("deleted", set, 0);
}

TEST(set_dup_closed) {
  struct server server = slow_server();
  int set = new_set(), copy = dup(set), fd = pending_socket(&server);
  add(set, fd, EPOLLOUT | EPOLLET, 1);
  close(set);
  show_events("at once", copy, 10);
  tell(&server, "grant");
  show_events("granted", copy, -1);
  show_events("again", copy, 0);
  check_connected(fd, &server);
}

static int select_output(int fd) {
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return select(fd + 1, NULL, &out, NULL, NULL);
}

/* The number of a closed set becomes that of a socket, and then that of another set. */
TEST(set_reused_by_socket) {
  struct server held = slow_server(), server = slow_server();
  int pending = pending_socket(&held), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 1};
  epoll_ctl(set, EPOLL_CTL_ADD, pending, &event);
  tell(&held, "await 1");
  tell(&server, "grant");
  close(set);
  int fd = pending_socket(&server);
  fact("the same number: %d", fd == set);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("select: %d", select_output(fd));
  check_connected(fd, &server);
  close(fd);
  int other = epoll_create1(0);
  fact("the same number: %d", other == set);
  fact("poll: %s", polled(other, POLLIN, 0));
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
    die("pipe");
  event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 2};
  epoll_ctl(other, EPOLL_CTL_ADD, ends[0], &event);
  fact("poll: %s", polled(other, POLLIN, -1));
  int ready = epoll_wait(other, &event, 1, -1);
  fact("epoll: %d %d", ready, (int)event.data.u64);
  tell(&held, "grant");
  fact("poll: %s", polled(pending, POLLOUT, -1));
  check_connected(pending, &held);
}
