/* SPDX-License-Identifier: MIT */
/* Connections and servers that are none of the library's business work as without it. Loopback addresses are direct
   here; $DESTINATION can be reached through the SOCKS server only. $SOURCE is a local address with a free port. */
#include "testing.h"
#include <sys/un.h>

static const char* destination(void) { return getenv("DESTINATION"); }

/* A client on loopback reaches the server, and accept() reports its address. */
static void check_local_call(int server, int client) {
  char at_loopback[80], own_address[80];
  struct sockaddr_storage caller = {0};
  socklen_t length = sizeof caller;
  snprintf(at_loopback, sizeof at_loopback, "127.0.0.1%s", strrchr(local_address(server), ':'));
  EXPECT_OK(connect_to(client, at_loopback, AF_INET));
  int accepted = accept(server, (struct sockaddr*)&caller, &length);
  snprintf(own_address, sizeof own_address, "%s", local_address(client));
  EXPECT_TEXT(strrchr(address_text(&caller), ':'), strrchr(own_address, ':'));
  EXPECT_INT(option(server, SO_ACCEPTCONN), 1);
  send_line(client, "hello");
  EXPECT_TEXT(read_line(accepted), "hello");
  close(accepted);
}

static void check_local_server(const char* where, int family) {
  int server = tcp_socket(family), client = tcp_socket(AF_INET);
  EXPECT_OK(bind_to(server, where, family));
  EXPECT_OK(listen(server, 5));
  check_local_call(server, client);
  close(client);
  close(server);
}

/* bind() before connect() chooses the source address; nobody is going to call. */
static void check_source(const char* where, int asks_for_name) {
  int fd = tcp_socket(AF_INET), reuse = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  EXPECT_OK(bind_to(fd, where, AF_INET));
  if (asks_for_name)
    local_address(fd);
  EXPECT_OK(connect_to(fd, destination(), AF_INET));
  EXPECT_INT(option(fd, SO_RCVLOWAT), 1);
  EXPECT_TEXT(converse(fd), "ok");
  close(fd);
}

static int primary_connection(void) {
  int fd = tcp_socket(AF_INET);
  EXPECT_OK(connect_to(fd, destination(), AF_INET));
  EXPECT_TEXT(converse(fd), "ok");
  return fd;
}

TEST(servers_without_primary) {
  check_local_server("127.0.0.1:0", AF_INET);
  check_local_server("0.0.0.0:0", AF_INET);
  check_local_server(":::0", AF_INET6);
}

TEST(source_without_primary) { check_source("127.0.0.1:0", 0); }

TEST(servers_with_primary) {
  primary_connection();
  check_local_server("127.0.0.1:0", AF_INET);
  check_local_server("127.0.0.1:0", AF_INET6);
}

TEST(source_with_primary) {
  primary_connection();
  check_source("127.0.0.1:0", 0);
  check_source("0.0.0.0:0", 0);
  check_source(getenv("SOURCE"), 0);
}

/* getsockname() cannot know that a connect() follows, so it makes the one BIND request of this program. */
TEST(source_with_getsockname) {
  primary_connection();
  check_source("0.0.0.0:0", 1);
}

TEST(server_after_primary_is_closed) {
  close(primary_connection());
  check_local_server("0.0.0.0:0", AF_INET);
}

TEST(unix_sockets) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_OK(bind(server, (struct sockaddr*)&address, sizeof address));
  EXPECT_OK(listen(server, 1));
  EXPECT_OK(connect(client, (struct sockaddr*)&address, sizeof address));
  int accepted = accept(server, NULL, NULL);
  send_line(client, "hello");
  EXPECT_TEXT(read_line(accepted), "hello");
}

TEST(udp) {
  int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
  char data[8];
  EXPECT_OK(bind_to(server, "127.0.0.1:0", AF_INET));
  EXPECT_OK(connect_to(client, local_address(server), AF_INET));
  EXPECT_INT(send(client, "hello", 5, 0), 5);
  EXPECT_INT(recv(server, data, sizeof data, MSG_DONTWAIT), 5);
}

/* For UDP, connect() only sets a route: without one to this address it fails, and never asks the SOCKS server. */
TEST(udp_to_destination) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int connected = connect_to(fd, destination(), AF_INET);
  EXPECT_TEXT(peer_address(fd), connected == 0 ? destination() : "ENOTCONN");
}

TEST(ipv6_then_v4_mapped) {
  int fd = tcp_socket(AF_INET6);
  EXPECT_ERROR(connect_to(fd, "2001:db8::1:80", AF_INET6), ENETUNREACH);
  EXPECT_OK(connect_to(fd, destination(), AF_INET6));
  EXPECT_TEXT(converse(fd), "ok");
}
