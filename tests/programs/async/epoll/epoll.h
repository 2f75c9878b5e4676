/* SPDX-License-Identifier: MIT */
/* Registrations in epoll sets, and the events of a set as facts. */
#pragma once
#include "slow_server.h"

static inline int add(int set, int fd, unsigned bits, uint64_t data) {
  struct epoll_event event = {.events = bits, .data.u64 = data};
  return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static inline int modify(int set, int fd, unsigned bits, uint64_t data) {
  struct epoll_event event = {.events = bits, .data.u64 = data};
  return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
}

static inline int unregister(int set, int fd) { return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL); }

static inline int new_set(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int by_data(const void* one, const void* other) {
  uint64_t a = ((const struct epoll_event*)one)->data.u64, b = ((const struct epoll_event*)other)->data.u64;
  return (a > b) - (a < b);
}

/* All events of the set, in the order of their data words. */
static inline void show_events(const char* when, int set, int milliseconds) {
  struct epoll_event ready[16];
  int n = epoll_wait(set, ready, 16, milliseconds);
  if (n <= 0) {
    fact("%s: %s", when, n < 0 ? strerrorname_np(errno) : "nothing");
    return;
  }
  qsort(ready, n, sizeof *ready, by_data);
  for (int i = 0; i < n; ++i)
    fact("%s: %llx %s", when, (unsigned long long)ready[i].data.u64, events(ready[i].events));
}
