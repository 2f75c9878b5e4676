/* SPDX-License-Identifier: MIT */
/* Edge-triggered registrations of a listening socket: one edge for one call. */
#include "async/listen/listen.h"

static const char* changed(unsigned wanted) {
  struct epoll_event event = {.events = wanted, .data.u64 = word};
  return result(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
}

static void check_edges(unsigned wanted) {
  tell(&server, "await-call");
  fact("before: %s", by_epoll(10));
  call("hello");
  fact("called: %s", by_epoll(-1));
  for (int i = 0; i < 2; ++i) {
    tell(&server, "say more");
    fact("with more of the call: %s, poll: %s", by_epoll(10), by_poll(0));
  }
  fact("listen again: %s, %s", result(listen(fd, 8)), by_epoll(10));
  fact("changed: %s, %s, %s", changed(wanted), by_epoll(10), by_epoll(0));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s, %s", result(accepted), by_epoll(10));
  fact("changed: %s, %s", changed(wanted), by_epoll(10));
  blocking(accepted);
  fact("call: %s", read_line(accepted));
  fact("call: %s", read_line(accepted));
  tell(&server, "end");
  fact("after: %s", by_epoll(10));
}

TEST(edges) {
  listening();
  add(set, fd, EPOLLIN | EPOLLET, word);
  check_edges(EPOLLIN | EPOLLET);
}

TEST(edges_of_everything) {
  listening();
  add(set, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, word);
  check_edges(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET);
}

TEST(edges_of_earlier_registration) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  add(set, fd, EPOLLIN | EPOLLET, word);
  fact("fresh: %s", by_epoll(0));
  start_listening();
  check_edges(EPOLLIN | EPOLLET);
}

/* Each set has an edge. */
TEST(edges_in_two_sets) {
  int other = epoll_create1(0), outer = epoll_create1(0);
  listening();
  add(set, fd, EPOLLIN | EPOLLET, word);
  add(other, fd, EPOLLIN | EPOLLET, word);
  add(outer, other, EPOLLIN | EPOLLET, word);
  call("hello");
  for (int i = 0; i < 2; ++i) {
    fact("outer: %s", reported(outer, i ? 10 : 1000));
    fact("set: %s", by_epoll(i ? 10 : 1000));
    fact("other: %s", reported(other, 0));
    tell(&server, "say more");
  }
}
