/* SPDX-License-Identifier: MIT */
/* A thread already waits when the call arrives. */
#include "async/listen/listen.h"

static volatile int is_called;

static const char* (*look_of_thread)(int milliseconds);

static void* wait_in_thread(void* argument) {
  const char* seen = look_of_thread(-1);
  fact("%s: %s", is_called ? "called" : "too early", seen);
  return argument;
}

static void* accept_in_thread(void* argument) {
  int accepted = accept(fd, NULL, NULL);
  fact("%s: %s", is_called ? "called" : "too early", result(accepted));
  if (accepted >= 0)
    check_call(accepted);
  return argument;
}

static void call_thread(void* (*run)(void*)) {
  struct sleeper sleeper = {.run = run};
  pthread_t handle = start_sleeper(&sleeper);
  tell(&server, "call-drip 3");
  tell(&server, "call-drip 7");
  await_sleep(sleeper.id);
  is_called = 1;
  call("hello");
  pthread_join(handle, NULL);
}

static void check_thread(const char* (*look)(int), unsigned wanted, int is_registered) {
  look_of_thread = look;
  listening();
  if (is_registered)
    add(set, fd, wanted, word);
  call_thread(wait_in_thread);
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s", look(10));
  check_call(accepted);
}

TEST(thread_poll) { check_thread(by_poll, 0, 0); }

TEST(thread_select) { check_thread(by_select, 0, 0); }

TEST(thread_epoll) { check_thread(by_epoll, EPOLLIN, 1); }

TEST(thread_edge) { check_thread(by_epoll, EPOLLIN | EPOLLET, 1); }

TEST(thread_accept) {
  listening();
  blocking(fd);
  call_thread(accept_in_thread);
  nonblocking(fd);
  fact("after: %s", by_poll(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
}
