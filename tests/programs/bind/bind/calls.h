/* SPDX-License-Identifier: MIT */
/* The primary connection to $DESTINATION, and calls from there to a listening socket, as an FTP client in active mode
   gets them. $FAMILY is 6 for IPv6 sockets with v4-mapped addresses. */
#pragma once
#include "testing.h"
#include <sys/select.h>

static inline int family(void) {
  const char* wanted = getenv("FAMILY");
  return wanted && strcmp(wanted, "6") == 0 ? AF_INET6 : AF_INET;
}

static inline int connect_primary(void) {
  int fd = tcp_socket(family());
  if (connect_to(fd, getenv("DESTINATION"), family()) != 0)
    die("primary");
  EXPECT_TEXT(converse(fd), "ok");
  return fd;
}

/* The ports differ from run to run. */
static inline const char* without_port(const char* address) {
  static char texts[4][80];
  static int turn;
  char* out = texts[turn++ % 4];
  snprintf(out, sizeof *texts, "%s", address);
  if (strrchr(out, ':'))
    *strrchr(out, ':') = '\0';
  return out;
}

/* An IP as getsockname() shows it for a socket of this family. */
static inline const char* as_shown(const char* ip) {
  static char texts[4][80];
  static int turn;
  char* out = texts[turn++ % 4];
  snprintf(out, sizeof *texts, family() == AF_INET6 ? "[::ffff:%s]" : "%s", ip);
  return out;
}

/* The server takes IPv4 addresses only. */
static inline const char* as_ipv4(const char* address) {
  static char out[80];
  if (strncmp(address, "[::ffff:", 8) != 0)
    return address;
  snprintf(out, sizeof out, "%.*s%s", (int)(strchr(address, ']') - address - 8), address + 8, strrchr(address, ':'));
  return out;
}

static inline int bound_at(const char* where) {
  int fd = tcp_socket(family());
  if (bind_to(fd, where, family()) != 0)
    die("bind");
  return fd;
}

static inline int listening_at(const char* where) {
  int fd = bound_at(where);
  if (listen(fd, 1) != 0)
    die("listen");
  return fd;
}

static inline const char* any(void) { return family() == AF_INET6 ? ":::0" : "0.0.0.0:0"; }

static inline int listening(void) { return listening_at(any()); }

/* Asks the application server to call this address and say these words. */
static inline void order_call_to(int primary, const char* where, const char* words) {
  send_line(primary, "call %s %s", as_ipv4(where), words);
  EXPECT_TEXT(read_line(primary), "calling");
}

static inline void order_call(int primary, int fd, const char* words) {
  char where[80];
  snprintf(where, sizeof where, "%s", local_address(fd));
  order_call_to(primary, where, words);
}

/* Data flows in both directions of an accepted connection. */
static inline void check_call(int fd, const char* words) {
  EXPECT_TEXT(read_line(fd), words);
  send_line(fd, "abc");
  EXPECT_TEXT(read_line(fd), "ABC");
}

static inline void check_primary(int primary) { EXPECT_TEXT(ask_for_echo(primary), "ok"); }

static inline int is_readable(int fd, int seconds) {
  fd_set set;
  struct timeval limit = {.tv_sec = seconds};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  return select(fd + 1, &set, NULL, NULL, &limit) == 1 && FD_ISSET(fd, &set);
}

static inline int has_event(int fd, int events, int milliseconds) {
  struct pollfd one = {.fd = fd, .events = events};
  return poll(&one, 1, milliseconds) == 1;
}

static inline void check_no_call(int fd) {
  int flags = fcntl(fd, F_GETFL);
  nonblocking(fd);
  EXPECT(!has_event(fd, POLLIN | POLLPRI, 100));
  EXPECT(!is_readable(fd, 0));
  EXPECT_ERROR(accept(fd, NULL, NULL), EAGAIN);
  fcntl(fd, F_SETFL, flags);
}
