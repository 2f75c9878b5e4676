/* SPDX-License-Identifier: MIT */
/* connect [-6] IP:PORT [IP:PORT]: prints everything that a program can learn from one connect(). If it fails, the same
   socket is connected to the second address. */
#include "net.h"

static int flags_of(int fd) { return fcntl(fd, F_GETFL) * 256 + fcntl(fd, F_GETFD); }

static int socket_with_flags(int family) {
  int fd = tcp_socket(family), keepalive = 1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_RDWR | O_APPEND);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive);
  return fd;
}

static void report_changes(int fd, int flags) {
  if (flags_of(fd) != flags || option(fd, SO_KEEPALIVE) != 1 || option(fd, SO_RCVLOWAT) != 1)
    fact("flags: %x, were %x; SO_KEEPALIVE %d, SO_RCVLOWAT %d", flags_of(fd), flags, option(fd, SO_KEEPALIVE),
         option(fd, SO_RCVLOWAT));
}

/* The greeting of the server names the address that it sees: as IPv4, where the socket may show a v4-mapped address. */
static void report_name(int fd) {
  const char *greeting = read_line(fd), *name = local_address(fd);
  const char* digits = name[0] == '[' ? name + strlen("[::ffff:") : name;
  char ipv4[80];
  snprintf(ipv4, sizeof ipv4, "%.*s%s", (int)strcspn(digits, "]"), digits, name[0] == '[' ? strchr(name, ']') + 1 : "");
  int is_seen = strncmp(greeting, "app ", 4) == 0 && strcmp(greeting + 4, ipv4) == 0;
  fact("name: %s", is_seen ? "as seen by the server" : name);
}

static void report_connection(int fd, const char* where, int family) {
  report_name(fd);
  send_line(fd, "echo hello");
  fact("answer: %s", read_line(fd));
  fact("connect again: %s", result(connect_to(fd, where, family)));
}

static int connect_and_report(int fd, const char* where, int family) {
  errno = UNTOUCHED;
  int connected = connect_to(fd, where, family), error = errno;
  fact("connect: %s", result(connected));
  if (connected == 0 && error != UNTOUCHED)
    fact("errno: %s", strerrorname_np(error));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_address(fd));
  return connected;
}

int main(int argc, char** argv) {
  int family = argc > 1 && strcmp(argv[1], "-6") == 0 ? AF_INET6 : AF_INET;
  if (family == AF_INET6)
    --argc, ++argv;
  int before = count_fds(), fd = socket_with_flags(family), flags = flags_of(fd);
  if (connect_and_report(fd, argv[1], family) == 0) {
    report_connection(fd, argv[1], family);
  } else if (argc > 2) {
    fact("connect elsewhere: %s", result(connect_to(fd, argv[2], family)));
    fact("then: %s", converse(fd));
  }
  report_changes(fd, flags);
  close(fd);
  if (count_fds() != before)
    fact("file descriptors: %d, were %d", count_fds(), before);
}
