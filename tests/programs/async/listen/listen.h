/* SPDX-License-Identifier: MIT */
/* A socket that waits for a call, and the server that calls. */
#pragma once
#include "slow_server.h"

static struct server server;

static int fd, set;

static const uint64_t word = 0xfedcba9876543210; /* the data word of the socket */

static inline int add(int to, int what, unsigned wanted, uint64_t data) {
  struct epoll_event event = {.events = wanted, .data.u64 = data};
  return epoll_ctl(to, EPOLL_CTL_ADD, what, &event);
}

static inline const char* reported(int from, int milliseconds) {
  static char texts[4][120];
  static int turn;
  struct epoll_event event[4];
  char* out = texts[turn++ % 4];
  int count = epoll_wait(from, event, 4, milliseconds);
  if (count <= 0)
    return count ? strerrorname_np(errno) : "nothing";
  snprintf(out, 120, "%d: %s%s", count, events(event[0].events),
           event[0].data.u64 == word ? "" : ", a different data word");
  return out;
}

static inline const char* by_poll(int milliseconds) { return polled(fd, POLLIN, milliseconds); }

static inline const char* by_select(int milliseconds) {
  fd_set in, pri;
  struct timeval limit = milliseconds_as_timeval(milliseconds);
  FD_ZERO(&in);
  FD_ZERO(&pri);
  FD_SET(fd, &in);
  FD_SET(fd, &pri);
  int ready = select(fd + 1, &in, NULL, &pri, milliseconds < 0 ? NULL : &limit);
  return ready < 0            ? strerrorname_np(errno)
         : FD_ISSET(fd, &pri) ? "exceptional"
         : FD_ISSET(fd, &in)  ? "readable"
                              : "nothing";
}

static inline const char* by_epoll(int milliseconds) { return reported(set, milliseconds); }

/* The primary connection, after which the server may call. */
static inline int primary(void) {
  server = slow_server();
  tell(&server, "grant");
  int one = tcp_socket(AF_INET);
  if (reach(one, &server) != 0)
    die("primary");
  return one;
}

/* Directly, the server calls the socket's own port. Through the shim it calls where the BIND listens. */
static inline const char* call(const char* words) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  getsockname(fd, (struct sockaddr*)&name, &length);
  return tell(&server, "call 127.0.0.1:%d %s", ntohs(name.sin_port), words);
}

static inline void start_listening(void) {
  fact("bind: %s", result(bind_to(fd, "0.0.0.0:0", AF_INET)));
  fact("listen: %s", result(listen(fd, 8)));
  tell(&server, "await-call");
}

static inline int listening(void) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  start_listening();
  return fd;
}

static inline void check_call(int accepted) {
  blocking(accepted);
  fact("call: %s", read_line(accepted));
  fact("answer: %s", echoes(accepted));
}
