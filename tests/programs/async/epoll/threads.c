/* SPDX-License-Identifier: MIT */
/* One thread already waits for the set when another one registers the socket or connects it. */
#include "async/epoll/epoll.h"

struct waiter {
  int set;
  struct epoll_event event;
  int count;
  struct sleeper sleeper;
  pthread_t handle;
};

static void* wait_for_one(void* argument) {
  struct waiter* waiter = argument;
  waiter->count = epoll_wait(waiter->set, &waiter->event, 1, 30000);
  return NULL;
}

static void begin_waiting(struct waiter* waiter, int set) {
  *waiter = (struct waiter){.set = set, .sleeper = {.run = wait_for_one, .argument = waiter}};
  waiter->handle = start_sleeper(&waiter->sleeper);
}

static void report_wait(struct waiter* waiter) {
  pthread_join(waiter->handle, NULL);
  fact("the waiting thread: %d, %llx %s", waiter->count, (unsigned long long)waiter->event.data.u64,
       events(waiter->event.events));
}

TEST(thread_before_add) {
  struct server server = slow_server();
  int set = new_set();
  struct waiter waiter;
  begin_waiting(&waiter, set);
  int fd = pending_socket(&server);
  add(set, fd, EPOLLOUT, 1);
  tell(&server, "await 1");
  tell(&server, "drip 7");
  tell(&server, "grant");
  report_wait(&waiter);
  check_connected(fd, &server);
}

TEST(thread_before_connect) {
  struct server server = slow_server();
  int set = new_set(), fd = nonblocking_socket();
  struct waiter waiter;
  add(set, fd, EPOLLOUT | EPOLLIN | EPOLLET, 1);
  show_events("before", set, 0);
  begin_waiting(&waiter, set);
  reach(fd, &server);
  tell(&server, "await 1");
  tell(&server, "drip 7");
  tell(&server, "grant");
  report_wait(&waiter);
  check_connected(fd, &server);
}

TEST(thread_refused) {
  struct server server = slow_server();
  int set = new_set(), fd = pending_socket(&server);
  struct waiter waiter;
  add(set, fd, EPOLLOUT | EPOLLIN, 1);
  begin_waiting(&waiter, set);
  tell(&server, "await 1");
  tell(&server, "refuse");
  report_wait(&waiter);
  fact("SO_ERROR: %s", so_error(fd));
  fact("SO_ERROR: %s", so_error(fd));
}

/* One thread waits for the set, and the other one polls the socket. */
TEST(thread_and_poll) {
  struct server server = slow_server();
  int set = new_set(), fd = pending_socket(&server);
  struct waiter waiter;
  add(set, fd, EPOLLOUT, 1);
  begin_waiting(&waiter, set);
  fact("poll: %s", polled(fd, POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  report_wait(&waiter);
  check_connected(fd, &server);
}

TEST(thread_nested) {
  struct server server = slow_server();
  int inner = new_set(), outer = new_set(), fd = pending_socket(&server);
  struct waiter waiter;
  add(outer, inner, EPOLLIN, 2);
  add(inner, fd, EPOLLOUT, 1);
  begin_waiting(&waiter, outer);
  tell(&server, "await 1");
  tell(&server, "drip 7");
  tell(&server, "grant");
  report_wait(&waiter);
  show_events("inner", inner, 0);
}
