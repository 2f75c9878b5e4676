/* SPDX-License-Identifier: MIT */
/* Level-triggered, edge-triggered, one-shot and exclusive registrations. */
#include "async/epoll/epoll.h"

/* A spent one-shot registration reports nothing until it is re-armed, before and after the connection is made. */
TEST(oneshot) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLONESHOT, 1);
  modify(set, fd, EPOLLOUT | EPOLLONESHOT, 2);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 10);
  tell(&server, "say x");
  fact("poll: %s", polled(fd, POLLIN, -1));
  show_events("input", set, 10);
  modify(set, fd, EPOLLIN | EPOLLONESHOT, 3);
  show_events("armed", set, 0);
  show_events("again", set, 0);
}

/* Spent before connect(), it reports nothing of the outcome. */
TEST(oneshot_spent) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLONESHOT, 1);
  show_events("before", set, 0);
  reach(fd, &server);
  show_events("at once", set, 10);
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  show_events("granted", set, 10);
  modify(set, fd, EPOLLOUT | EPOLLONESHOT, 2);
  show_events("armed", set, 0);
}

/* One edge for the connection, and one for each input. */
TEST(edge) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET, 1);
  reach(fd, &server);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 10);
  for (int i = 0; i < 2; ++i) {
    tell(&server, "say x");
    show_events("input", set, -1);
    show_events("again", set, 10);
  }
  tell(&server, "end");
  show_events("end", set, -1);
  show_events("again", set, 0);
}

TEST(edge_refused) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET, 1);
  show_events("at once", set, 10);
  tell(&server, "refuse");
  show_events("refused", set, -1);
  show_events("again", set, 10);
  fact("SO_ERROR: %s", so_error(fd));
  show_events("asked", set, 10);
  fact("SO_ERROR: %s", so_error(fd));
}

/* A socket that is connected again after a failure is still registered. */
TEST(connected_after_refusal) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  add(set, fd, EPOLLOUT, 1);
  tell(&server, "refuse");
  show_events("refused", set, -1);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  show_events("connected again", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  check_connected(fd, &server);
}

TEST(exclusive) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set(), other = new_set();
  fact("add: %s", result(add(set, fd, EPOLLOUT | EPOLLEXCLUSIVE, 1)));
  fact("add: %s", result(add(other, fd, EPOLLOUT | EPOLLET | EPOLLEXCLUSIVE, 2)));
  fact("add with another event: %s", result(add(new_set(), fd, EPOLLOUT | EPOLLRDHUP | EPOLLEXCLUSIVE, 1)));
  fact("add with one shot: %s", result(add(new_set(), fd, EPOLLOUT | EPOLLONESHOT | EPOLLEXCLUSIVE, 1)));
  fact("modify: %s", result(modify(set, fd, EPOLLOUT, 3)));
  fact("modify to exclusive: %s", result(modify(set, fd, EPOLLOUT | EPOLLEXCLUSIVE, 3)));
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("granted", other, 1000);
  show_events("again", set, 0);
  show_events("again", other, 0);
  fact("modify: %s", result(modify(set, fd, EPOLLOUT, 3)));
  fact("delete: %s", result(unregister(set, fd)));
  fact("add: %s", result(add(set, fd, EPOLLOUT, 4)));
  fact("modify: %s", result(modify(set, fd, EPOLLOUT, 5)));
  show_events("afterwards", set, 0);
}
