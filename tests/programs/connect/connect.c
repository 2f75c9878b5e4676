/* SPDX-License-Identifier: MIT */
/* connect [-6] IP:PORT [IP:PORT]: one connect() with all that a program can ask about it, and if it fails, another one of the
   same socket to the second address. */
#include "net.h"

static int flags_of(int fd) { return fcntl(fd, F_GETFL) * 256 + fcntl(fd, F_GETFD); }

int main(int argc, char **argv) {
  int family = argc > 1 && strcmp(argv[1], "-6") == 0 ? AF_INET6 : AF_INET;
  if (family == AF_INET6)
    --argc, ++argv;
  int before = count_fds(), fd = tcp_socket(family), keepalive = 1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_RDWR | O_APPEND);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive);
  int flags = flags_of(fd);

  errno = UNTOUCHED;
  int connected = connect_to(fd, argv[1], family);
  int error = errno;
  fact("connect: %s", result(connected));
  if (connected == 0 && error != UNTOUCHED)
    fact("errno: %s", strerrorname_np(error));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_address(fd));
  if (connected == 0) {
    const char *greeting = read_line(fd), *name = local_address(fd);
    const char *digits = name[0] == '[' ? name + strlen("[::ffff:") : name;
    char seen[80];
    snprintf(seen, sizeof seen, "%.*s%s", (int)strcspn(digits, "]"), digits, name[0] == '[' ? strchr(name, ']') + 1 : "");
    fact("name: %s", strncmp(greeting, "app ", 4) == 0 && strcmp(greeting + 4, seen) == 0 ? "as seen by the server" : name);
    send_line(fd, "echo hello");
    fact("answer: %s", read_line(fd));
    fact("connect again: %s", result(connect_to(fd, argv[1], family)));
  } else if (argc > 2) {
    fact("connect elsewhere: %s", result(connect_to(fd, argv[2], family)));
    fact("then: %s", converse(fd));
  }
  if (flags_of(fd) != flags || option(fd, SO_KEEPALIVE) != 1 || option(fd, SO_RCVLOWAT) != 1)
    fact("flags: %x, were %x; SO_KEEPALIVE %d, SO_RCVLOWAT %d", flags_of(fd), flags, option(fd, SO_KEEPALIVE),
         option(fd, SO_RCVLOWAT));
  close(fd);
  if (count_fds() != before)
    fact("file descriptors: %d, were %d", count_fds(), before);
}
