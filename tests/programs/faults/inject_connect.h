/* SPDX-License-Identifier: MIT */
/* A CONNECT to `app` in every way of waiting for it, while something fails: whatever has happened, errno is one that
   tells it, the socket is as it was or as it ought to be, the same socket works at the next try, no byte is lost or one
   too many, and no descriptor is left. */
#pragma once
#include "faults/injector.h"
#include <sys/epoll.h>
#include <sys/select.h>

static const char* app;

/* What the server does to the reply, in a run without other faults: $EXPECT is "dead" (the end of the stream or a
   reset), "silence", or "call" (either, in place of the second reply). */
static int expects(const char* what) { return getenv("EXPECT") && strcmp(getenv("EXPECT"), what) == 0; }
static int expects_failure(void) { return expects("dead") || expects("silence"); }

/* What a program can hear of the fault: itself, or what the library says instead. */
static void expect_told(const char* what, int error) {
  const int injected = injection->injected ? injection->error : 0;
  const int is_dead = injected == END || injected == EPIPE || expects("dead");
  const int is_shortage =
      injection->call == call_mmap || injection->call == call_getsockopt || injection->call == call_malloc;
  if (error == injected || (is_dead && error == ECONNRESET) || (is_shortage && (error == ENOBUFS || error == ENOMEM)) ||
      (expects("silence") && error == ETIMEDOUT) || (injected == SHORT && error == EINTR) ||
      (injection->call == call_getsockopt && error == EACCES))
    return;
  /* An address of 198.18.0.0/15 whose name cannot be found now is not known to anybody. */
  if (strncmp(app, "198.1", 5) == 0 && error == EHOSTUNREACH)
    return;
  wrong("%s: %s", what, error ? strerrorname_np(error) : "0");
}

struct options {
  int flags, low_water, send_timeout;
};

static struct options options_of(int fd) {
  struct timeval limit = {0};
  socklen_t length = sizeof limit;
  getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length);
  return (struct options){fcntl(fd, F_GETFL), option(fd, SO_RCVLOWAT), limit.tv_sec * 1000 + limit.tv_usec / 1000};
}

static void expect_options(int fd, struct options before, const char* when) {
  const struct options now = options_of(fd);
  if (memcmp(&before, &now, sizeof now) != 0)
    wrong("%s: flags %x were %x, SO_RCVLOWAT %d was %d, SO_SNDTIMEO %d was %d", when, now.flags, before.flags,
          now.low_water, before.low_water, now.send_timeout, before.send_timeout);
}

static void set_blocking(int fd, int yes) {
  const int armed = injection->armed, error = errno;
  disarm();
  fcntl(fd, F_SETFL, yes ? fcntl(fd, F_GETFL) & ~O_NONBLOCK : fcntl(fd, F_GETFL) | O_NONBLOCK);
  injection->armed = armed;
  errno = error;
}

/* The connection is the one that was asked for, from its first byte on. */
static void expect_connected(int fd) {
  const char* peer = peer_address(fd);
  if (strcmp(peer, app) != 0)
    wrong("peer: %s", peer);
  set_blocking(fd, 1);
  expect_ok("conversation", converse(fd));
}

/* Each gives 0 or the error by which a program hears how its connect() has ended; -1: the wait itself was interrupted.
 */
typedef int wait_call(int fd);

static int wait_poll(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLOUT};
  const int count = poll(&one, 1, 30000);
  if (count == 0)
    wrong("poll: nothing");
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

static int wait_select(int fd) {
  fd_set set;
  struct timeval limit = {.tv_sec = 30};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  const int count = select(fd + 1, NULL, &set, NULL, &limit);
  if (count == 0)
    wrong("select: nothing");
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

static int wait_epoll(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.fd = fd};
  const int added = set < 0 ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  const int count = added == 0 ? epoll_wait(set, &event, 1, 30000) : -1;
  const int error = errno;
  if (set >= 0)
    close(set);
  if (count == 0)
    wrong("epoll_wait: nothing");
  if (count > 0 && event.data.fd != fd)
    wrong("epoll_wait: data %d", event.data.fd);
  errno = error;
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

/* The first byte of what the server says is data; there is none before it. */
static int wait_read(int fd) {
  char byte;
  set_blocking(fd, 1);
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
  set_blocking(fd, 0);
  if (got > 0 && byte != 'a')
    wrong("recv: byte %d", byte);
  if (got > 0)
    return 0;
  const int error = got == 0 ? ECONNRESET : errno;
  /* What failed is the program's own recv(), or the wait in it: the CONNECT goes on, and may stand by now or not. */
  const int has_failed_to_wait = injection->injected && injection->call == call_poll && error == injection->error;
  const int is_own = has_failed_to_wait || strcmp(peer_address(fd), app) == 0;
  errno = error;
  return is_own || errno == EINTR || errno == EAGAIN ? -1 : errno;
}

static int wait_till_told(int fd, wait_call* wait) {
  int result = -1;
  for (int i = 0; i < 20 && result < 0; ++i) {
    result = wait(fd);
    if (result < 0)
      expect_told("wait", errno);
    if (i == 10)
      disarm();
  }
  return result;
}

static void connect_with(wait_call* wait) {
  const int before = count_fds(), fd = tcp_socket(AF_INET);
  set_blocking(fd, !wait);
  const struct options options = options_of(fd);
  errno = UNTOUCHED;
  arm();
  int error = connect_to(fd, app, AF_INET) == 0 ? 0 : errno;
  if (error == 0 && errno != UNTOUCHED)
    wrong("success, but errno: %s", strerrorname_np(errno));
  if (error == EINTR || error == EINPROGRESS)
    error = wait_till_told(fd, wait ? wait : wait_poll);
  disarm();
  expect_options(fd, options, "after connect");
  if (!error && expects_failure())
    wrong("connect: ok");
  if (error) {
    expect_told("connect", error);
    if (strcmp(peer_address(fd), "ENOTCONN") != 0)
      wrong("peer after failure: %s", peer_address(fd));
    const char* once_more = so_error(fd);
    if (strcmp(once_more, "0") != 0)
      wrong("SO_ERROR once more: %s", once_more);
    set_blocking(fd, 1);
    if (!expects_failure()) {
      /* The kernel, too, tells a program that has asked for SO_ERROR once more that it is over. */
      const int again = connect_to(fd, app, AF_INET), is_repeated = again < 0 && wait && errno == ECONNABORTED;
      expect_ok("connect once more", result(is_repeated ? connect_to(fd, app, AF_INET) : again));
    }
    set_blocking(fd, !wait);
    expect_options(fd, options, "after the second connect");
  }
  if (!error || (!expects_failure()))
    expect_connected(fd);
  close(fd);
  if (count_fds() != before)
    wrong("descriptors: %d, were %d", count_fds(), before);
}
