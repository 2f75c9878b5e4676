/* SPDX-License-Identifier: MIT */
/* local APP SOURCE: all that is none of our business, and stays as it is without us. Loopback addresses are direct here; APP is one
   that only the SOCKS server can reach. */
#include "net.h"
#include <sys/un.h>

static const char *app;

/* A plain server of one connection: "local" if a direct client reaches it and is who accept() says. */
static const char *plain_server(const char *where, int family) {
  int fd = tcp_socket(family), client = tcp_socket(AF_INET);
  if (bind_to(fd, where, family) != 0 || listen(fd, 5) != 0)
    return strerrorname_np(errno);
  char at_loopback[80], self[80];
  snprintf(at_loopback, sizeof at_loopback, "127.0.0.1%s", strrchr(local_address(fd), ':'));
  if (connect_to(client, at_loopback, AF_INET) != 0)
    return "cannot be reached";
  struct sockaddr_storage caller = {0};
  socklen_t length = sizeof caller;
  int accepted = accept(fd, (struct sockaddr *)&caller, &length);
  snprintf(self, sizeof self, "%s", local_address(client));
  if (strcmp(strrchr(self, ':'), strrchr(address_text(&caller), ':')) != 0 || option(fd, SO_ACCEPTCONN) != 1)
    return "strange";
  send_line(client, "hello");
  const char *got = read_line(accepted);
  close(client), close(accepted), close(fd);
  return strcmp(got, "hello") == 0 ? "local" : got;
}

static const char *unix_sockets(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0 ||
      connect(client, (struct sockaddr *)&address, sizeof address) != 0)
    return strerrorname_np(errno);
  int accepted = accept(fd, NULL, NULL);
  send_line(client, "hello");
  return strcmp(read_line(accepted), "hello") == 0 ? "ok" : "wrong";
}

static const char *udp(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
  char data[8];
  if (bind_to(fd, "127.0.0.1:0", AF_INET) != 0 || connect_to(client, local_address(fd), AF_INET) != 0 ||
      send(client, "hello", 5, 0) != 5 || recv(fd, data, sizeof data, MSG_DONTWAIT) != 5)
    return strerrorname_np(errno);
  /* Connected to where there would be a proxy for TCP: that is only a route to the kernel. */
  int away = socket(AF_INET, SOCK_DGRAM, 0);
  connect_to(away, app, AF_INET);
  const char *peer = peer_address(away);
  return strcmp(peer, app) == 0 || strcmp(peer, "ENOTCONN") == 0 ? "ok" : peer;
}

/* bind() and then connect(): the source is chosen, nobody is going to call. */
static const char *source(const char *where, int ask_in_between) {
  int fd = tcp_socket(AF_INET), reuse = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  if (bind_to(fd, where, AF_INET) != 0)
    return strerrorname_np(errno);
  if (ask_in_between)
    local_address(fd);
  if (connect_to(fd, app, AF_INET) != 0)
    return strerrorname_np(errno);
  const char *said = option(fd, SO_RCVLOWAT) == 1 ? converse(fd) : "another low-water mark";
  close(fd);
  return said;
}

int main(int argc, char **argv) {
  (void)argc;
  app = argv[1];
  fact("no primary, 127.0.0.1: %s", plain_server("127.0.0.1:0", AF_INET));
  fact("no primary, any address: %s", plain_server("0.0.0.0:0", AF_INET));
  fact("no primary, any IPv6 address: %s", plain_server(":::0", AF_INET6));
  fact("source address, no primary: %s", source("127.0.0.1:0", 0));

  int primary = tcp_socket(AF_INET);
  fact("primary: %s", result(connect_to(primary, app, AF_INET)));
  fact("primary: %s", converse(primary));
  fact("127.0.0.1: %s", plain_server("127.0.0.1:0", AF_INET));
  fact("127.0.0.1 as IPv6: %s", plain_server("127.0.0.1:0", AF_INET6));
  fact("source address: %s", source("127.0.0.1:0", 0));
  fact("any source address: %s", source("0.0.0.0:0", 0));
  fact("source port: %s", source(argv[2], 0));
  fact("source port, getsockname() in between: %s", source("0.0.0.0:0", 1));
  fact("unix: %s", unix_sockets());
  fact("udp: %s", udp());

  int v6 = tcp_socket(AF_INET6);
  fact("IPv6: %s", result(connect_to(v6, "2001:db8::1:80", AF_INET6)));
  fact("and then IPv4: %s", result(connect_to(v6, app, AF_INET6)));
  fact("which talks: %s", converse(v6));
  close(v6);

  close(primary);
  fact("primary is closed, any address: %s", plain_server("0.0.0.0:0", AF_INET));
}
