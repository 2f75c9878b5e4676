/* SPDX-License-Identifier: MIT */
/* A connect() in progress, and every way to wait for it: each returns how many descriptors are ready. */
#pragma once
#include "slow_server.h"

static struct server server;

static int fd, set;

static const sigset_t* mask; /* for the calls that take one */

static inline int by_poll(int milliseconds) {
  return poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, milliseconds);
}

static inline int by_ppoll(int milliseconds) {
  return ppoll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, limit_of(milliseconds), mask);
}

static inline int by_select(int milliseconds) {
  struct timeval time = milliseconds_as_timeval(milliseconds);
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  int ready = select(fd + 1, NULL, &out, NULL, milliseconds < 0 ? NULL : &time);
  if (ready == 0 && (time.tv_sec || time.tv_usec || FD_ISSET(fd, &out)))
    fact("select: %ld.%06ld s left, %d", (long)time.tv_sec, (long)time.tv_usec, FD_ISSET(fd, &out));
  return ready;
}

static inline int by_pselect(int milliseconds) {
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return pselect(fd + 1, NULL, &out, NULL, limit_of(milliseconds), mask);
}

static struct epoll_event event;

static inline int by_epoll(int milliseconds) { return epoll_wait(set, &event, 1, milliseconds); }

static inline int by_epoll_pwait(int milliseconds) { return epoll_pwait(set, &event, 1, milliseconds, mask); }

static inline int by_epoll_pwait2(int milliseconds) {
  return epoll_pwait2(set, &event, 1, limit_of(milliseconds), mask);
}

struct way {
  const char* name;
  int (*wait)(int milliseconds);
};

#define MASKED_WAYS                                                                                                    \
  {"ppoll", by_ppoll}, {"pselect", by_pselect}, {"epoll_pwait", by_epoll_pwait}, { "epoll_pwait2", by_epoll_pwait2 }
static const struct way masked_ways[] __attribute__((unused)) = {MASKED_WAYS};
static const struct way ways[]
    __attribute__((unused)) = {{"poll", by_poll}, {"select", by_select}, {"epoll", by_epoll}, MASKED_WAYS};

static inline const char* outcome(int ready) {
  return ready < 0 ? strerrorname_np(errno) : ready ? "ready" : "nothing";
}

static inline void begin_connect(void) {
  server = slow_server();
  fd = pending_socket(&server);
  set = epoll_create1(0);
  event = (struct epoll_event){.events = EPOLLOUT};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  tell(&server, "await 1");
}
