/* SPDX-License-Identifier: MIT */
/* Several descriptors of one socket. The kernel keeps one registration for each descriptor, and keeps it after close()
   while another descriptor of the socket is open. */
#include "async/epoll/epoll.h"

TEST(dup_registered) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set(), copy = dup(fd);
  add(set, fd, EPOLLOUT, 1);
  add(set, copy, EPOLLOUT | EPOLLIN, 2);
  show_events("at once", set, 10);
  fact("poll of the dup: %s", polled(copy, POLLOUT, 10));
  tell(&server, "grant");
  fact("poll of the dup: %s", polled(copy, POLLOUT, -1));
  show_events("granted", set, -1);
  fact("delete: %s", result(unregister(set, fd)));
  show_events("one deleted", set, 0);
  fact("peer of the dup: %s", peer_of(copy, &server));
  check_connected(fd, &server);
}

/* Only the dup is registered, and the descriptor that connect() was called with is closed. */
TEST(dup_only) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set(), copy = dup(fd);
  add(set, copy, EPOLLOUT, 7);
  close(fd);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  check_connected(copy, &server);
}

TEST(dup_only_edge) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set(), copy = dup(fd);
  add(set, copy, EPOLLIN | EPOLLOUT | EPOLLET, 7);
  reach(fd, &server);
  close(fd);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 0);
  check_connected(copy, &server);
}

/* The registered descriptor is closed: events arrive with its data word as long as the dup is open. */
TEST(original_closed) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), set = new_set();
  add(set, fd, EPOLLOUT, 7);
  reach(fd, &server);
  int copy = dup(fd);
  close(fd);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 0);
  close(copy);
  show_events("closed", set, 0);
}

TEST(original_closed_edge) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set();
  add(set, fd, EPOLLOUT | EPOLLIN | EPOLLET, 7);
  int copy = dup(fd);
  close(fd);
  show_events("at once", set, 10);
  tell(&server, "grant");
  show_events("granted", set, -1);
  show_events("again", set, 0);
  tell(&server, "say x");
  show_events("input", set, -1);
  show_events("again", set, 0);
  close(copy);
}

/* Another socket of the same set reuses the number. Each keeps its own data word. */
TEST(original_reused) {
  struct server one = slow_server(), other = slow_server();
  int fd = pending_socket(&one), set = new_set();
  add(set, fd, EPOLLOUT, 7);
  int copy = dup(fd);
  close(fd);
  int next = pending_socket(&other);
  fact("the same number: %d", next == fd);
  fact("add: %s", result(add(set, next, EPOLLOUT | EPOLLIN, 8)));
  show_events("at once", set, 10);
  tell(&one, "grant");
  fact("poll of the dup: %s", polled(copy, POLLOUT, -1));
  show_events("granted", set, -1);
  close(copy);
  show_events("closed", set, 0);
  tell(&other, "grant");
  show_events("the other granted", set, -1);
  fact("modify: %s", result(modify(set, next, EPOLLOUT, 9)));
  show_events("the other modified", set, 0);
  check_connected(next, &other);
}

TEST(original_reused_by_unix_socket) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = new_set(), pair[2];
  add(set, fd, EPOLLOUT, 7);
  int copy = dup(fd);
  close(fd);
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  fact("the same number: %d", pair[0] == fd);
  add(set, pair[0], EPOLLIN, 8);
  tell(&server, "grant");
  fact("poll of the dup: %s", polled(copy, POLLOUT, -1));
  write(pair[1], "x", 1) == 1 ? (void)0 : die("write");
  show_events("granted", set, -1);
  close(copy);
  show_events("closed", set, 0);
}
