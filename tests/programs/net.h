/* SPDX-License-Identifier: MIT */
/* Sockets and addresses as short text, and a conversation with tests/servers/appserver.py. Every socket has a receive
   timeout, and the test scripts limit the time of the program, so that nothing waits forever. */
#pragma once
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

/* The return value of a call as "ok" or the name of its errno. */
static inline const char* result(long returned) { return returned >= 0 ? "ok" : strerrorname_np(errno); }

/* One line of output: something that the program observed. */
__attribute__((format(printf, 1, 2))) static inline void fact(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

/* For calls that the test needs but does not examine. */
static inline void die(const char* what) {
  fact("%s: %s", what, strerrorname_np(errno));
  exit(1);
}

/* "IP:PORT" as an address of this family: for AF_INET6 an IPv4 address becomes a v4-mapped one. */
static inline struct sockaddr_storage parse_address(const char* where, int family, socklen_t* length) {
  struct sockaddr_storage storage = {.ss_family = family};
  struct sockaddr_in* v4 = (struct sockaddr_in*)&storage;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)&storage;
  const char* colon = strrchr(where, ':');
  char ip[64];
  int is_v6 = colon != strchr(where, ':');
  snprintf(ip, sizeof ip, "%s%.*s", family == AF_INET6 && !is_v6 ? "::ffff:" : "", (int)(colon - where), where);
  if (family == AF_INET6 ? !inet_pton(AF_INET6, ip, &v6->sin6_addr) : !inet_pton(AF_INET, ip, &v4->sin_addr))
    fact("not an address: %s", where), exit(2);
  v4->sin_port = htons(atoi(colon + 1)); /* at the same offset in both */
  *length = family == AF_INET6 ? sizeof *v6 : sizeof *v4;
  return storage;
}

static inline int connect_to(int fd, const char* where, int family) {
  socklen_t length;
  struct sockaddr_storage address = parse_address(where, family, &length);
  return connect(fd, (struct sockaddr*)&address, length);
}

static inline int bind_to(int fd, const char* where, int family) {
  socklen_t length;
  struct sockaddr_storage address = parse_address(where, family, &length);
  return bind(fd, (struct sockaddr*)&address, length);
}

/* "IP:PORT", with brackets around an IPv6 address. Four results stay valid. */
static inline const char* address_text(const void* address) {
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

typedef int address_call(int, struct sockaddr*, socklen_t*);

static inline const char* address_by(address_call* call, int fd) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  return call(fd, (struct sockaddr*)&address, &length) == 0 ? address_text(&address) : strerrorname_np(errno);
}

/* The address, or the name of the errno. */
static inline const char* local_address(int fd) { return address_by(getsockname, fd); }
static inline const char* peer_address(int fd) { return address_by(getpeername, fd); }

/* An option of SOL_SOCKET. */
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
  struct timeval limit = {.tv_sec = 40}; /* the kernel may take seconds to get past a full backlog */
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    die("socket");
  return fd;
}

static inline int nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

static inline int blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

static inline int nonblocking_socket(void) { return nonblocking(tcp_socket(AF_INET)); }

/* close() then sends a reset, which frees the local port at once. */
static inline int reset_on_close(int fd) {
  struct linger linger = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  return fd;
}

/* A line without its end; "end" at the end of the stream, or the name of an errno. Reads no byte after the line. */
static inline const char* read_line(int fd) {
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

static inline void send_formatted_line(int fd, const char* format, va_list arguments) {
  char words[256];
  int n = vsnprintf(words, sizeof words - 1, format, arguments);
  words[n++] = '\n';
  if (write(fd, words, n) != n)
    die("write");
}

__attribute__((format(printf, 2, 3))) static inline void send_line(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  send_formatted_line(fd, format, arguments);
  va_end(arguments);
}

/* "ok" if the application server sends back what it is asked to. */
static inline const char* ask_for_echo(int fd) {
  send_line(fd, "echo hello");
  const char* got = read_line(fd);
  return strcmp(got, "hello") == 0 ? "ok" : got;
}

/* The same on a new connection, which begins with the server's greeting. */
static inline const char* converse(int fd) {
  const char* got = read_line(fd);
  return strncmp(got, "app ", 4) == 0 ? ask_for_echo(fd) : got;
}

static inline int count_fds(void) {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder))
    ++count;
  closedir(folder);
  return count;
}

static inline int exit_status_of_child(void) {
  int status;
  wait(&status);
  return status;
}
