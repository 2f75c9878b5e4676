/* SPDX-License-Identifier: MIT */
/* Listening sockets with several sets, descriptors and processes. */
#include "async/listen/listen.h"

/* Two sets, one of them nested in a third one. */
TEST(several_sets) {
  int other = epoll_create1(0), outer = epoll_create1(0);
  listening();
  add(set, fd, EPOLLIN, word);
  add(other, fd, EPOLLIN | EPOLLET, word);
  add(outer, other, EPOLLIN, word);
  fact("before: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  call("hello");
  fact("called: %s", reported(outer, -1));
  fact("called: %s", reported(set, -1));
  fact("called: %s", reported(other, -1));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  check_call(accepted);
  fact("after: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 3};
  fact("changed: %s", result(epoll_ctl(other, EPOLL_CTL_MOD, fd, &event)));
  fact("added: %s", result(add(other, fd, EPOLLIN, word)));
  fact("deleted: %s", result(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL)));
  fact("deleted: %s", result(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL)));
  fact("deleted: %s", result(epoll_ctl(other, EPOLL_CTL_DEL, fd, NULL)));
  close(fd);
  tell(&server, "say more");
  fact("call: %s", read_line(accepted));
}

/* A listening socket is never writable, and has no peer that could hang up. */
static const char* to_write(int milliseconds) {
  fd_set out;
  struct timeval limit = milliseconds_as_timeval(milliseconds);
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return select(fd + 1, NULL, &out, NULL, &limit) ? "writable" : "nothing";
}

static void look_at_everything(int other, int milliseconds) {
  int all = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLWRNORM | POLLRDNORM;
  fact("poll: %s, epoll: %s", polled(fd, all, milliseconds), reported(set, milliseconds));
  fact("select: %s, poll: %s, edges: %s", to_write(0), polled(fd, POLLOUT | POLLRDHUP, 0), reported(other, 0));
}

TEST(everything) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  int other = epoll_create1(0);
  add(set, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, word);
  start_listening();
  add(other, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, word);
  look_at_everything(other, 10);
  call("hello");
  look_at_everything(other, -1);
  int accepted = accept(fd, NULL, NULL);
  look_at_everything(other, 10);
  fact("modified: %s",
       result(epoll_ctl(set, EPOLL_CTL_MOD, fd, &(struct epoll_event){.events = EPOLLOUT, .data.u64 = word})));
  look_at_everything(other, 10);
  check_call(accepted);
}

/* A dup made before the call is the same socket. */
TEST(earlier_dup) {
  listening();
  int copy = dup(fd);
  add(set, copy, EPOLLIN, word);
  fact("before: %s, %s", polled(copy, POLLIN, 10), reported(set, 0));
  call("hello");
  fact("called: %s, %s", polled(copy, POLLIN, -1), reported(set, -1));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("accept, the dup: %s", result(accept(copy, NULL, NULL)));
  check_call(accepted);
  tell(&server, "say more");
  fact("after: %s, %s", polled(copy, POLLIN, 10), reported(set, 0));
  fact("call: %s", read_line(accepted));
  close(copy);
  fact("answer: %s", echoes(accepted));
}

TEST(child_accepts) {
  listening();
  add(set, fd, EPOLLIN, word);
  call("hello");
  fact("called: %s, %s", polled(fd, POLLIN, -1), reported(set, -1));
  if (fork() == 0) {
    int accepted = accept(fd, NULL, NULL);
    check_call(accepted);
    tell(&server, "say more");
    exit(polled(accepted, POLLIN, -1)[0] == 'I' ? 0 : 1);
  }
  fact("child: %d", exit_status_of_child());
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("after: %s, %s", polled(fd, POLLIN, 10), reported(set, 0));
}
