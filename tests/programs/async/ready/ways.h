/* SPDX-License-Identifier: MIT */
/* Every way to wait for a non-blocking connect(). Compiled with _FORTIFY_SOURCE, which turns poll() and ppoll() on an
   array of known size into __poll_chk() and __ppoll_chk(). */
#pragma once
#define _FORTIFY_SOURCE 2
#include "slow_server.h"
#include <sys/resource.h>

/* Returns which of the wanted events of poll() a descriptor reports within a time limit; -1 is no limit. */
typedef unsigned wait_call(int fd, unsigned wanted, int milliseconds);

/* The size of the array is unknown here, so these call the plain functions. */
__attribute__((noinline, unused)) static int plain_poll(struct pollfd* fds, int n, int milliseconds) {
  return poll(fds, n, milliseconds);
}

__attribute__((noinline, unused)) static int plain_ppoll(struct pollfd* fds, int n, int milliseconds) {
  return ppoll(fds, n, limit_of(milliseconds), NULL);
}

static inline unsigned one_of(int ready, const struct pollfd* one) {
  if (ready < 0)
    die("poll");
  if (ready != (one->revents != 0))
    fact("poll: %d, but %s", ready, events(one->revents));
  return one->revents;
}

static inline unsigned by_poll(int fd, unsigned wanted, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = wanted}};
  return one_of(plain_poll(one, 1, milliseconds), one);
}

static inline unsigned by_ppoll(int fd, unsigned wanted, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = wanted}};
  return one_of(plain_ppoll(one, 1, milliseconds), one);
}

static volatile int one_descriptor = 1;

static inline unsigned by_poll_chk(int fd, unsigned wanted, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = wanted}};
  return one_of(poll(one, one_descriptor, milliseconds), one);
}

static inline unsigned by_ppoll_chk(int fd, unsigned wanted, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = wanted}};
  return one_of(ppoll(one, one_descriptor, limit_of(milliseconds), NULL), one);
}

struct sets {
  fd_set in, out, pri;
};

static inline struct sets sets_for(int fd, unsigned wanted) {
  struct sets sets;
  FD_ZERO(&sets.in);
  FD_ZERO(&sets.out);
  FD_ZERO(&sets.pri);
  if (wanted & POLLIN)
    FD_SET(fd, &sets.in);
  if (wanted & POLLOUT)
    FD_SET(fd, &sets.out);
  FD_SET(fd, &sets.pri);
  return sets;
}

static inline unsigned as_selected(int ready, unsigned seen) {
  if (ready < 0)
    die("select");
  if (ready != __builtin_popcount(seen))
    fact("select: %d, but %s", ready, events(seen));
  return seen;
}

static inline unsigned found(int ready, int fd, const struct sets* sets) {
  return as_selected(ready, (FD_ISSET(fd, &sets->in) ? POLLIN : 0) | (FD_ISSET(fd, &sets->out) ? POLLOUT : 0) |
                                (FD_ISSET(fd, &sets->pri) ? POLLPRI : 0));
}

static inline unsigned by_select(int fd, unsigned wanted, int milliseconds) {
  struct sets sets = sets_for(fd, wanted);
  struct timeval time = milliseconds_as_timeval(milliseconds);
  return found(select(fd + 1, &sets.in, &sets.out, &sets.pri, milliseconds < 0 ? NULL : &time), fd, &sets);
}

static inline unsigned by_pselect(int fd, unsigned wanted, int milliseconds) {
  struct sets sets = sets_for(fd, wanted);
  return found(pselect(fd + 1, &sets.in, &sets.out, &sets.pri, limit_of(milliseconds), NULL), fd, &sets);
}

static inline void copy_to(int fd, int high) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (dup2(fd, high) < 0)
    die("dup2");
}

/* The descriptor's number is beyond FD_SETSIZE, and the count beyond the kernel's table, so the sets end before it. */
static inline unsigned by_wide_select(int fd, unsigned wanted, int milliseconds) {
  enum { high = 1500, table = 2048, bits = 8 * sizeof(long) };
  unsigned long wide[3][2 * table / bits];
  memset(wide, 0xff, sizeof wide);
  for (int i = 0; i < 3; ++i)
    memset(wide[i], 0, table / 8);
  copy_to(fd, high);
  wide[0][high / bits] = (wanted & POLLIN ? 1UL : 0) << high % bits;
  wide[1][high / bits] = (wanted & POLLOUT ? 1UL : 0) << high % bits;
  wide[2][high / bits] = 1UL << high % bits;
  struct timeval time = milliseconds_as_timeval(milliseconds);
  int ready = select(2 * table, (fd_set*)wide[0], (fd_set*)wide[1], (fd_set*)wide[2], milliseconds < 0 ? NULL : &time);
  close(high);
  unsigned seen = 0;
  for (int i = 0; i < 3; ++i)
    seen |= wide[i][high / bits] ? (unsigned[]){POLLIN, POLLOUT, POLLPRI}[i] : 0;
  return as_selected(ready, seen);
}

/* The registration lasts as long as the test and has all events; a look ignores those that it does not want. */
static int set = -1;

static const uint64_t word = 0x123456789abcdef0;

static unsigned flags;

static inline void enter(int fd, int operation) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | flags, .data.u64 = word};
  if (!(flags & EPOLLEXCLUSIVE)) /* EPOLLRDHUP is not allowed with it */
    event.events |= EPOLLRDHUP;
  if (epoll_ctl(set, operation, fd, &event) != 0)
    fact("epoll_ctl: %s", strerrorname_np(errno));
}

static inline void register_everything(int fd) {
  if (set >= 0)
    return;
  set = epoll_create1(0);
  enter(fd, EPOLL_CTL_ADD);
}

static inline unsigned seen(int ready, const struct epoll_event* event, unsigned wanted) {
  if (ready < 0)
    die("epoll");
  if (ready > 0 && event->data.u64 != word)
    fact("epoll: data %llx", (unsigned long long)event->data.u64);
  return ready > 0 ? event->events & (wanted | EPOLLERR | EPOLLHUP | EPOLLRDHUP) : 0;
}

static inline unsigned by_epoll(int fd, unsigned wanted, int milliseconds) {
  struct epoll_event event = {0};
  register_everything(fd);
  return seen(epoll_wait(set, &event, 1, milliseconds), &event, wanted);
}

static inline unsigned by_epoll_pwait(int fd, unsigned wanted, int milliseconds) {
  struct epoll_event event = {0};
  sigset_t none;
  sigemptyset(&none);
  register_everything(fd);
  return seen(epoll_pwait(set, &event, 1, milliseconds, &none), &event, wanted);
}

static inline unsigned by_epoll_pwait2(int fd, unsigned wanted, int milliseconds) {
  struct epoll_event event = {0};
  register_everything(fd);
  return seen(epoll_pwait2(set, &event, 1, limit_of(milliseconds), NULL), &event, wanted);
}

static inline unsigned by_nested_epoll(int fd, unsigned wanted, int milliseconds) {
  static int outer = -1;
  struct epoll_event event = {.events = EPOLLIN};
  if (set < 0) {
    register_everything(fd);
    outer = epoll_create1(0);
    epoll_ctl(outer, EPOLL_CTL_ADD, set, &event);
  }
  return epoll_wait(outer, &event, 1, milliseconds) > 0 ? by_epoll(fd, wanted, 0) : 0;
}

static inline unsigned by_polled_epoll(int fd, unsigned wanted, int milliseconds) {
  register_everything(fd);
  return by_poll(set, POLLIN, milliseconds) ? by_epoll(fd, wanted, 0) : 0;
}

static inline unsigned by_selected_epoll(int fd, unsigned wanted, int milliseconds) {
  register_everything(fd);
  return by_select(set, POLLIN, milliseconds) ? by_epoll(fd, wanted, 0) : 0;
}

static const struct way {
  const char* name;
  wait_call* wait;
  unsigned flags;
  int is_early; /* registered, or looked at, before connect() */
} ways[] = {
    {"poll", by_poll, 0, 0},
    {"ppoll", by_ppoll, 0, 0},
    {"poll_chk", by_poll_chk, 0, 0},
    {"ppoll_chk", by_ppoll_chk, 0, 0},
    {"select", by_select, 0, 0},
    {"pselect", by_pselect, 0, 0},
    {"select_wide", by_wide_select, 0, 0},
    {"epoll", by_epoll, 0, 0},
    {"epoll_early", by_epoll, 0, 1},
    {"epoll_edge", by_epoll, EPOLLET, 0},
    {"epoll_edge_early", by_epoll, EPOLLET, 1},
    {"epoll_oneshot", by_epoll, EPOLLONESHOT, 0},
    {"epoll_oneshot_early", by_epoll, EPOLLONESHOT, 1},
    {"epoll_edge_oneshot", by_epoll, EPOLLET | EPOLLONESHOT, 0},
    {"epoll_exclusive", by_epoll, EPOLLEXCLUSIVE, 0},
    {"epoll_exclusive_early", by_epoll, EPOLLEXCLUSIVE | EPOLLET, 1},
    {"epoll_pwait", by_epoll_pwait, 0, 0},
    {"epoll_pwait2", by_epoll_pwait2, 0, 0},
    {"epoll_nested", by_nested_epoll, 0, 0},
    {"epoll_nested_edge", by_nested_epoll, EPOLLET, 1},
    {"epoll_polled", by_polled_epoll, 0, 0},
    {"epoll_selected", by_selected_epoll, 0, 0},
};
