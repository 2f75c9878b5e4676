/* SPDX-License-Identifier: MIT */
/* SOCKSIFY_TIMEOUT, which is short here, ends a connect() that the SOCKS server does not answer. The kernel has no such
   limit, and cannot be the judge. */
#include "async/time/time.h"

static void expect_connected(int socket) {
  EXPECT_TEXT(so_error(socket), "0");
  EXPECT_TEXT(peer_of(socket, &server), "the destination");
  EXPECT_TEXT(echoes(socket), "ok");
}

/* The request is given up, and the socket is free for another connect(). */
TEST_EACH(expires, way, ways) {
  begin_connect();
  EXPECT_INT(way->wait(-1), 1);
  EXPECT_TEXT(so_error(fd), "ETIMEDOUT");
  EXPECT_TEXT(so_error(fd), "0");
  tell(&server, "gone 1");
  tell(&server, "grant");
  EXPECT_ERROR(reach(fd, &server), ECONNABORTED);
  EXPECT_ERROR(reach(fd, &server), EINPROGRESS);
  EXPECT_TEXT(polled(fd, POLLOUT, -1), "OUT");
  expect_connected(fd);
}

TEST(blocking_connect_expires) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  EXPECT_ERROR(reach(fd, &server), ETIMEDOUT);
  tell(&server, "gone 1");
  tell(&server, "grant");
  EXPECT_OK(reach(fd, &server));
  expect_connected(fd);
}
