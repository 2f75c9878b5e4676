/* SPDX-License-Identifier: MIT */
/* Clients of the SOCKS server at $SOCKS, and their application server at the IP $LISTEN. $COUNT says how many. */
#pragma once
#include "testing.h"
#include <sys/resource.h>

enum { LIMIT_MS = 60000, MOST = 4096 };

static struct sockaddr_in socks, app;
static int listening;
static long turn; /* for the message */

static inline void require(int condition, const char* what) {
  if (condition)
    return;
  fprintf(stderr, "storm: turn %ld: %s: %s\n", turn, what, strerror(errno));
  exit(1);
}

static inline long count_wanted(void) { return atol(getenv("COUNT")); }

static inline int is_ready(int fd, short events, int ms) {
  struct pollfd one = {fd, events, 0};
  return poll(&one, 1, ms) == 1;
}

static inline int listen_at(struct sockaddr_in* address) {
  socklen_t length = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(fd, (struct sockaddr*)address, length) == 0 && listen(fd, 1024) == 0, "listen");
  getsockname(fd, (struct sockaddr*)address, &length);
  return fd;
}

static inline struct sockaddr_in address_without_port(void) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(getenv("LISTEN"))};
}

static inline void set_up(void) {
  struct rlimit files;
  socklen_t length;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct sockaddr_storage storage = parse_address(getenv("SOCKS"), AF_INET, &length);
  memcpy(&socks, &storage, sizeof socks);
  app = address_without_port();
  listening = listen_at(&app);
}

/* Resets on close, because ports are few. */
static inline int dial(void) {
  int fd = reset_on_close(socket(AF_INET, SOCK_STREAM, 0));
  require(fd >= 0 && connect(fd, (struct sockaddr*)&socks, sizeof socks) == 0, "connect");
  return fd;
}

/* A CONNECT with a userid, 14 bytes. */
static inline size_t make_request(unsigned char* bytes, const struct sockaddr_in* destination) {
  bytes[0] = 4;
  bytes[1] = 1;
  memcpy(bytes + 2, &destination->sin_port, 2);
  memcpy(bytes + 4, &destination->sin_addr, 4);
  memcpy(bytes + 8, "storm", 6);
  return 14;
}

static inline void send_request(int fd, const struct sockaddr_in* destination) {
  unsigned char bytes[32];
  size_t length = make_request(bytes, destination);
  require(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length, "send the request");
}

static inline void receive_grant(int fd) {
  unsigned char reply[8];
  require(is_ready(fd, POLLIN, LIMIT_MS), "no reply");
  require(recv(fd, reply, 8, MSG_WAITALL) == 8 && reply[0] == 0 && reply[1] == 90, "not granted");
}

static inline int accept_at(int fd) {
  require(is_ready(fd, POLLIN, LIMIT_MS), "no connection");
  return reset_on_close(accept(fd, NULL, NULL));
}

static inline void drop_connections(int fd) {
  while (is_ready(fd, POLLIN, 0))
    close(accept_at(fd));
}

/* Tells the script that everything is in place, and waits until standard input ends. */
static inline void hold(void) {
  char byte;
  fact("held");
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
}
