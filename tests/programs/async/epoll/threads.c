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

/* A thread waits for the whole set, by a call for which the set is a descriptor like any other. */
struct look {
  int set;
  int (*wait)(int set);
  volatile int is_granted;
};

static int wait_by_select(int set) {
  fd_set in;
  FD_ZERO(&in);
  FD_SET(set, &in);
  return select(set + 1, &in, NULL, NULL, NULL) == 1 && FD_ISSET(set, &in);
}

static int wait_by_pselect(int set) {
  fd_set in;
  FD_ZERO(&in);
  FD_SET(set, &in);
  return pselect(set + 1, &in, NULL, NULL, &(struct timespec){.tv_sec = 30}, NULL) == 1 && FD_ISSET(set, &in);
}

static int wait_by_poll(int set) { return polled(set, POLLIN, -1)[0] == 'I'; }

static void* look_at_set(void* argument) {
  struct look* look = argument;
  const int ready = look->wait(look->set);
  fact("%s: %d", look->is_granted ? "granted" : "too early", ready);
  return NULL;
}

static void check_look(int (*wait)(int set)) {
  struct server server = slow_server();
  struct look look = {.set = new_set(), .wait = wait};
  struct sleeper sleeper = {.run = look_at_set, .argument = &look};
  pthread_t handle = start_sleeper(&sleeper);
  int fd = pending_socket(&server);
  add(look.set, fd, EPOLLOUT, 1);
  tell(&server, "await 1");
  tell(&server, "drip 7");
  await_sleep(sleeper.id);
  look.is_granted = 1;
  tell(&server, "grant");
  pthread_join(handle, NULL);
  show_events("granted", look.set, 0);
  check_connected(fd, &server);
}

TEST(thread_select_before_add) { check_look(wait_by_select); }
TEST(thread_pselect_before_add) { check_look(wait_by_pselect); }
TEST(thread_poll_before_add) { check_look(wait_by_poll); }

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
