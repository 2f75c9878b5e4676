/* SPDX-License-Identifier: MIT */
/* The number by which the program made a set is closed, and may be another set's or file's by now. */
#include "async/epoll/epoll.h"

/* The set lives on in a dup, and its number is that of another set. */
TEST(set_dup_reused) {
  struct server server = slow_server();
  int set = new_set(), copy = dup(set), fd = pending_socket(&server);
  add(set, fd, EPOLLOUT | EPOLLET, 1);
  close(set);
  int other = new_set();
  fact("the same number: %d", other == set);
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  show_events("granted", copy, 1000);
  show_events("again", copy, 0);
  show_events("the other", other, 0);
  check_connected(fd, &server);
}

/* Nobody waits for the set before the end. */
TEST(set_dup_late) {
  struct server server = slow_server();
  int set = new_set(), copy = dup(set), fd = pending_socket(&server);
  add(set, fd, EPOLLOUT, 1);
  close(set);
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  show_events("granted", copy, 1000);
  check_connected(fd, &server);
}

static int writable_pipe(void) {
  int ends[2];
  return pipe(ends) == 0 ? ends[1] : -1;
}

/* A nested set is closed, and its number is that of another file, which the program registers with the same word. */
static void reuse_nested(int make(void)) {
  struct server server = slow_server();
  int set = new_set(), outer = new_set(), pending = pending_socket(&server), spare = make(), inner = new_set();
  add(set, pending, EPOLLOUT, 1);
  add(outer, inner, EPOLLIN, 6);
  close(inner);
  dup2(spare, inner);
  fact("add: %s", result(add(outer, inner, EPOLLOUT, 6)));
  show_events("the other file", outer, 1000);
  show_events("the pending socket", set, 0);
}

TEST(nested_reused_by_pipe) { reuse_nested(writable_pipe); }

static int writable_socket(void) {
  int ends[2];
  return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? ends[1] : -1;
}

TEST(nested_reused_by_socket) { reuse_nested(writable_socket); }

/* A set is readable only for the program's own events: the connection is made, but no data has come. */
TEST(polled_with_its_member) {
  struct server server = slow_server();
  int set = new_set(), outer = new_set(), fd = pending_socket(&server);
  add(set, fd, EPOLLIN, 1);
  add(outer, set, EPOLLIN, 2);
  int copy = dup(set);
  tell(&server, "await 1");
  tell(&server, "grant");
  struct pollfd all[] = {{fd, POLLOUT, 0}, {set, POLLIN, 0}, {outer, POLLIN, 0}, {copy, POLLIN, 0}};
  fact("poll: %d", poll(all, 4, 5000));
  for (int i = 0; i < 4; ++i)
    fact("%d: %s", i, events(all[i].revents));
  tell(&server, "say x");
  fact("poll: %d", poll(all + 1, 3, 5000));
  for (int i = 1; i < 4; ++i)
    fact("%d: %s", i, events(all[i].revents));
}

/* The same while the reply is on its way. */
TEST(polled_by_dup) {
  struct server server = slow_server();
  int set = new_set(), outer = new_set(), fd = pending_socket(&server);
  add(set, fd, EPOLLIN | EPOLLOUT, 1);
  add(outer, set, EPOLLIN, 2);
  int copy = dup(set), outer_copy = dup(outer);
  tell(&server, "await 1");
  tell(&server, "drip 3");
  fact("poll: %s, %s", polled(copy, POLLIN, 10), polled(outer_copy, POLLIN, 10));
  tell(&server, "drip 5");
  fact("poll: %s, %s", polled(outer_copy, POLLIN, 10), polled(copy, POLLIN, 10));
  tell(&server, "grant");
  fact("poll: %s, %s", polled(outer_copy, POLLIN, -1), polled(copy, POLLIN, -1));
  show_events("granted", copy, -1);
}
