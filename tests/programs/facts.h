/* SPDX-License-Identifier: MIT */
/* What the small clients share: a line per fact on stdout, and a conversation with tests/servers/appserver.py. Nothing
   here waits for ever: every socket has a receive timeout and tests/lib/harness.sh a limit for the program. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNTOUCHED 4242 /* an errno that no call sets */

/* What a call returned: "ok", or the name of its errno. */
static inline const char* result(int returned) { return returned >= 0 ? "ok" : strerrorname_np(errno); }

__attribute__((format(printf, 1, 2))) static inline void fact(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

static inline void die(const char* what) {
  fact("%s: %s", what, strerrorname_np(errno));
  exit(1);
}

/* "IP:PORT" as an address of the family; v4-mapped for AF_INET6, unless the IP is an IPv6 one. */
static inline struct sockaddr_storage at(const char* where, int family, socklen_t* length) {
  struct sockaddr_storage storage = {.ss_family = family};
  struct sockaddr_in* v4 = (struct sockaddr_in*)&storage;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)&storage;
  const char* colon = strrchr(where, ':');
  char ip[64];
  int is_v6 = colon != strchr(where, ':');
  snprintf(ip, sizeof ip, "%s%.*s", family == AF_INET6 && !is_v6 ? "::ffff:" : "", (int)(colon - where), where);
  if (family == AF_INET6 ? !inet_pton(AF_INET6, ip, &v6->sin6_addr) : !inet_pton(AF_INET, ip, &v4->sin_addr))
    fact("not an address: %s", where), exit(2);
  v4->sin_port = htons(atoi(colon + 1)); /* at the same place in both */
  *length = family == AF_INET6 ? sizeof *v6 : sizeof *v4;
  return storage;
}

static inline int connect_to(int fd, const char* where, int family) {
  socklen_t length;
  struct sockaddr_storage address = at(where, family, &length);
  return connect(fd, (struct sockaddr*)&address, length);
}

static inline int bind_to(int fd, const char* where, int family) {
  socklen_t length;
  struct sockaddr_storage address = at(where, family, &length);
  return bind(fd, (struct sockaddr*)&address, length);
}

/* "IP:PORT"; IPv6 addresses in brackets. Four texts at a time. */
static inline const char* text(const void* address) {
  static char texts[4][80];
  static int turn;
  const struct sockaddr_in* v4 = address;
  const struct sockaddr_in6* v6 = address;
  char ip[64], *out = texts[turn++ % 4];
  if (v4->sin_family == AF_INET6)
    snprintf(out, 80, "[%s]:%d", inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip), ntohs(v6->sin6_port));
  else if (v4->sin_family == AF_INET)
    snprintf(out, 80, "%s:%d", inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip), ntohs(v4->sin_port));
  else
    snprintf(out, 80, "family %d", v4->sin_family);
  return out;
}

typedef int name_call(int, struct sockaddr*, socklen_t*);

/* What getsockname() or getpeername() says: the address, or the name of its errno. */
static inline const char* ask(name_call* call, int fd) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  return call(fd, (struct sockaddr*)&address, &length) == 0 ? text(&address) : strerrorname_np(errno);
}

/* An option of SOL_SOCKET as a number. */
static inline int option(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static inline const char* so_error(int fd) {
  int error = option(fd, SO_ERROR);
  return error ? strerrorname_np(error) : "0";
}

static inline int tcp_socket(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  struct timeval patience = {.tv_sec = 40}; /* a full backlog may take the kernel seconds to get over */
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
    die("socket");
  return fd;
}

/* A line, without its end; "end" at the end of the stream, or the name of an errno. Reads not one byte more. */
static inline const char* line(int fd) {
  static char buffer[256];
  size_t n = 0;
  for (; n < sizeof buffer - 1; ++n) {
    ssize_t got = read(fd, buffer + n, 1);
    if (got < 0)
      return strerrorname_np(errno);
    if (got == 0 && n == 0)
      return "end";
    if (got == 0 || buffer[n] == '\n')
      break;
  }
  buffer[n] = '\0';
  return buffer;
}

__attribute__((format(printf, 2, 3))) static inline void say(int fd, const char* format, ...) {
  char words[256];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(words, sizeof words - 1, format, arguments);
  va_end(arguments);
  words[n++] = '\n';
  if (write(fd, words, n) != n)
    die("write");
}

/* "ok" if the application server says what it is asked to. */
static inline const char* echo(int fd) {
  say(fd, "echo hello");
  const char* got = line(fd);
  return strcmp(got, "hello") == 0 ? "ok" : got;
}

/* The same on a new connection, where its greeting comes first. */
static inline const char* talk(int fd) {
  const char* got = line(fd);
  return strncmp(got, "app ", 4) == 0 ? echo(fd) : got;
}

static inline int open_fds(void) {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder))
    ++count;
  closedir(folder);
  return count;
}
