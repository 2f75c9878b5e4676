/* SPDX-License-Identifier: MIT */
/* The C library's calls that connect by themselves. A command's output goes to stdout, its errors are a fact.

     rcmd rcmd HOST PORT COMMAND          rcmd() with a second connection
     rcmd alone HOST PORT COMMAND         rcmd_af() without one
     rcmd rexec HOST PORT COMMAND         rexec() with a second connection
     rcmd denied HOST PORT COMMAND        rcmd() as a user who may not
     rcmd rresvport HOST PORT             connects, then listens on a reserved port for another connection */
#include "net.h"
#include <netdb.h>

static void copy(const char* what, int fd) {
  char buffer[256];
  size_t size = 0;
  ssize_t got;
  while (size < sizeof buffer - 1 && (got = read(fd, buffer + size, sizeof buffer - 1 - size)) > 0)
    size += (size_t)got;
  while (size && buffer[size - 1] == '\n')
    --size;
  fact("%s: %.*s", what, (int)size, buffer);
}

static int run(const char* call, char** host, uint16_t port, const char* command, int* second) {
  if (strcmp(call, "alone") == 0)
    return rcmd_af(host, port, "me", "you", command, NULL, AF_INET);
  if (strcmp(call, "rexec") == 0)
    return rexec(host, port, "you", "secret", command, second);
  return rcmd(host, port, "me", strcmp(call, "denied") == 0 ? "nobody" : "you", command, second);
}

static int listen_on_reserved(const char* host, int port) {
  char where[64];
  snprintf(where, sizeof where, "%s:%d", host, port);
  const int fd = tcp_socket(AF_INET);
  if (connect_to(fd, where, AF_INET) != 0)
    die("connect");
  int own_port = IPPORT_RESERVED - 1;
  const int listener = rresvport(&own_port);
  fact("rresvport: %s", result(listener));
  fact("listen: %s", result(listen(listener, 1)));
  dprintf(fd, "%d%c", own_port, 0);
  const int call = accept(listener, NULL, NULL);
  fact("accept: %s", result(call));
  dprintf(fd, "me%cyou%cecho called%c", 0, 0, 0);
  char verdict = 1;
  fact("granted: %s", result(read(fd, &verdict, 1) == 1 && verdict == 0 ? 0 : -1));
  copy("output", fd);
  return 0;
}

int main(int count, char** words) {
  if (count < 4)
    return 2;
  if (strcmp(words[1], "rresvport") == 0)
    return listen_on_reserved(words[2], atoi(words[3]));
  char* host = words[2];
  int second = -1;
  const int fd = run(words[1], &host, htons(atoi(words[3])), words[4], &second);
  fact("%s: %s", host, fd < 0 ? "failed" : "ok");
  if (fd < 0)
    return 0;
  copy("output", fd);
  if (second >= 0)
    copy("errors", second);
  return 0;
}
