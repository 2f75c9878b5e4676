/* SPDX-License-Identifier: MIT */
/* A CONNECT to `app` in every way of waiting for it, while something fails. Whatever happens, errno explains it, the
   socket has its old options, the same socket works at the next attempt, no byte is lost or added, and no descriptor is
   left behind. */
#pragma once
#include "faults/injector.h"
#include <sys/epoll.h>
#include <sys/select.h>

static const char* app;

/* What the server does to the reply, in a run without other faults: $EXPECT is "dead" (the end of the stream or a
   reset), "silence", or "call" (either of them, in place of the second reply). */
static inline int expects(const char* what) { return getenv("EXPECT") && strcmp(getenv("EXPECT"), what) == 0; }
static inline int expects_failure(void) { return expects("dead") || expects("silence"); }

static inline int injected_error(void) { return injection->injected ? injection->error : 0; }

/* Shortages that the library may report as ENOBUFS or ENOMEM. */
static inline int is_shortage(void) {
  return injection->call == call_mmap || injection->call == call_getsockopt || injection->call == call_malloc;
}

static inline int is_dead(void) { return injected_error() == END || injected_error() == EPIPE || expects("dead"); }

/* An error explains a fault if it is the injected one, or what the library reports in its place. */
static inline int explains_fault(int error) {
  return error == injected_error() || (is_dead() && error == ECONNRESET) ||
         (is_shortage() && (error == ENOBUFS || error == ENOMEM)) || (expects("silence") && error == ETIMEDOUT) ||
         (injected_error() == SHORT && error == EINTR) || (injected_error() == END && error == EIO) ||
         (injection->call == call_getsockopt && error == EACCES);
}

/* A fake address whose name cannot be found now leads nowhere. */
static inline int is_nameless(int error) { return strncmp(app, "198.1", 5) == 0 && error == EHOSTUNREACH; }

static inline void require_explanation(const char* what, int error) {
  if (!explains_fault(error) && !is_nameless(error))
    fail("%s: %s", what, error ? strerrorname_np(error) : "0");
}

struct options {
  int flags, low_water, send_timeout;
};

static inline struct options options_of(int fd) {
  struct timeval limit = {0};
  socklen_t length = sizeof limit;
  getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length);
  return (struct options){fcntl(fd, F_GETFL), option(fd, SO_RCVLOWAT), limit.tv_sec * 1000 + limit.tv_usec / 1000};
}

static inline void require_options(int fd, struct options before, const char* when) {
  const struct options now = options_of(fd);
  if (memcmp(&before, &now, sizeof now) != 0)
    fail("%s: flags %x were %x, SO_RCVLOWAT %d was %d, SO_SNDTIMEO %d was %d", when, now.flags, before.flags,
         now.low_water, before.low_water, now.send_timeout, before.send_timeout);
}

static inline void set_blocking(int fd, int yes) {
  const int armed = injection->armed, error = errno;
  disarm();
  if (yes)
    blocking(fd);
  else
    nonblocking(fd);
  injection->armed = armed;
  errno = error;
}

/* The connection leads to the right server, and begins with its first byte. */
static inline void require_connected(int fd) {
  require_text("peer", peer_address(fd), app);
  set_blocking(fd, 1);
  require_ok("conversation", converse(fd));
}

/* Returns 0, or the error with which connect() has failed; -1: the wait itself failed. */
typedef int wait_call(int fd);

static inline int outcome_of_wait(int fd, int ready) {
  if (ready == 0)
    fail("nothing is ready");
  return ready < 0 ? -1 : option(fd, SO_ERROR);
}

static inline int wait_poll(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLOUT};
  return outcome_of_wait(fd, poll(&one, 1, 30000));
}

static inline int wait_select(int fd) {
  fd_set set;
  struct timeval limit = {.tv_sec = 30};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  return outcome_of_wait(fd, select(fd + 1, NULL, &set, NULL, &limit));
}

static inline int wait_epoll(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.fd = fd};
  const int added = set < 0 ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  const int count = added == 0 ? epoll_wait(set, &event, 1, 30000) : -1;
  const int error = errno;
  if (set >= 0)
    close(set);
  if (count > 0 && event.data.fd != fd)
    fail("epoll_wait: data %d", event.data.fd);
  errno = error;
  return outcome_of_wait(fd, count);
}

/* The program's own recv() or the wait inside it may fail; then the CONNECT goes on, and may have succeeded by now. */
static inline int is_own_failure(int fd, int error) {
  const int wait_failed = injection->injected && injection->call == call_poll && error == injection->error;
  return wait_failed || error == EINTR || error == EAGAIN || strcmp(peer_address(fd), app) == 0;
}

/* The first byte that the program reads is the server's first byte. */
static inline int wait_read(int fd) {
  char byte;
  set_blocking(fd, 1);
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
  set_blocking(fd, 0);
  if (got > 0 && byte != 'a')
    fail("recv: byte %d", byte);
  if (got > 0)
    return 0;
  const int error = got == 0 ? ECONNRESET : errno, is_own = is_own_failure(fd, error);
  errno = error;
  return is_own ? -1 : error;
}

static inline int wait_for_outcome(int fd, wait_call* wait) {
  int outcome = -1;
  for (int i = 0; i < 20 && outcome < 0; ++i) {
    outcome = wait(fd);
    if (outcome < 0)
      require_explanation("wait", errno);
    if (i == 10)
      disarm();
  }
  return outcome;
}

/* NULL waits in connect() itself. */
static inline int connect_armed(int fd, wait_call* wait) {
  errno = UNTOUCHED;
  arm();
  int error = connect_to(fd, app, AF_INET) == 0 ? 0 : errno;
  if (error == 0 && errno != UNTOUCHED)
    fail("success, but errno: %s", strerrorname_np(errno));
  if (error == EINTR || error == EINPROGRESS)
    error = wait_for_outcome(fd, wait ? wait : wait_poll);
  disarm();
  return error;
}

/* If the program asked for SO_ERROR twice, the kernel too reports the old failure once more. */
static inline void connect_once_more(int fd, wait_call* wait) {
  int again = connect_to(fd, app, AF_INET);
  if (again < 0 && wait && errno == ECONNABORTED)
    again = connect_to(fd, app, AF_INET);
  require_ok("connect once more", result(again));
}

static inline void check_failed(int fd, wait_call* wait, int error) {
  require_explanation("connect", error);
  require_text("peer after failure", peer_address(fd), "ENOTCONN");
  require_text("SO_ERROR once more", so_error(fd), "0");
  set_blocking(fd, 1);
  if (!expects_failure())
    connect_once_more(fd, wait);
  set_blocking(fd, !wait);
}

static inline void connect_with(wait_call* wait) {
  const int before = count_fds(), fd = tcp_socket(AF_INET);
  set_blocking(fd, !wait);
  const struct options options = options_of(fd);
  const int error = connect_armed(fd, wait);
  require_options(fd, options, "after connect");
  if (!error && expects_failure())
    fail("connect: ok");
  if (error) {
    check_failed(fd, wait, error);
    require_options(fd, options, "after the second connect");
  }
  if (!error || !expects_failure())
    require_connected(fd);
  close(fd);
  require_no_more_fds(before);
}
