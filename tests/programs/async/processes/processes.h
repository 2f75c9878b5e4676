/* SPDX-License-Identifier: MIT */
/* A whole connection in one call, and pipes between a parent and its child. */
#pragma once
#include "slow_server.h"

static inline unsigned by_epoll(int fd, int milliseconds) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = 77};
  int set = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  int ready = epoll_wait(set, &event, 1, milliseconds);
  close(set);
  return ready > 0 ? event.events : 0;
}

static inline int by_select(int fd) {
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return select(fd + 1, NULL, &out, NULL, NULL);
}

static inline const char* bytes_of(int fd) {
  static __thread char texts[64 * 3];
  unsigned char bytes[64];
  ssize_t count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  int length = snprintf(texts, sizeof texts, "%zd:", count);
  for (ssize_t i = 0; i < count && i < 60; ++i)
    length += snprintf(texts + length, sizeof texts - length, " %02x", bytes[i]);
  return texts;
}

/* Connects in one of four ways, checks the connection, and closes it; 1 if all is well. */
static inline int one_connection(const struct server* server, int way) {
  int fd = way == 0 ? tcp_socket(AF_INET) : nonblocking_socket(), begun = reach(fd, server);
  const char *seen = begun == 0 ? "" : strerrorname_np(errno), *words = "not asked";
  if (way == 1)
    seen = polled(fd, POLLOUT, -1);
  else if (way == 2)
    seen = by_select(fd) == 1 ? "" : strerrorname_np(errno);
  else if (way == 3)
    seen = events(by_epoll(fd, -1));
  const char* error = so_error(fd);
  int good = strcmp(error, "0") == 0 && strcmp(words = echoes(fd), "ok") == 0;
  if (!good) /* whatever else can be read may explain it */
    fact("way %d: %s, SO_ERROR: %s, echo: %s, %s", way, seen, error, words, bytes_of(fd));
  close(reset_on_close(fd));
  return good;
}

/* Two pipes between parent and child: each byte lets the other side go on. */
static int to_child[2], to_parent[2];

static inline void pipes(void) {
  if (pipe(to_child) != 0 || pipe(to_parent) != 0)
    die("pipe");
}

static inline void go(int* ends) {
  if (write(ends[1], "x", 1) != 1)
    die("go");
}

static inline void await_go(int* ends) {
  if (read(ends[0], &(char){0}, 1) != 1)
    exit(1); /* the other side has ended, and has said why */
}
