/* SPDX-License-Identifier: MIT */
/* A connect() whose progress is observed in one of the ways. */
#pragma once
#include "async/ready/ways.h"

static const struct way* used;

static struct server server;

static int fd;

static inline void look(const char* when, unsigned wanted, int milliseconds) {
  fact("%s: %s", when, events(used->wait(fd, wanted, milliseconds)));
}

static inline void set_up(const struct way* way) {
  used = way;
  flags = way->flags;
  server = slow_server();
  fd = nonblocking_socket();
  if (!way->is_early)
    return;
  if (flags & EPOLLONESHOT) /* a look would spend it */
    register_everything(fd);
  else
    look("before", POLLIN | POLLOUT, 0);
}

/* connect(): nothing is ready before the whole reply is there. */
static inline void begin_connect(int code) {
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLIN | POLLOUT, 0);
  look("soon", POLLIN | POLLOUT, 10);
  tell(&server, "await 1");
  look("with the request at the server", POLLIN | POLLOUT, 10);
  fact("peer: %s, SO_ERROR: %s", peer_address(fd), so_error(fd));
  tell(&server, "drip 7 %d", code);
  look("with 7 bytes of the reply", POLLIN | POLLOUT, 10);
}

static inline void reads(const char* expected) {
  char words[16] = "";
  size_t got = 0;
  ssize_t n;
  while (got < strlen(expected) && (n = recv(blocking(fd), words + got, strlen(expected) - got, 0)) > 0)
    got += n;
  fact("words: %s", words);
}
