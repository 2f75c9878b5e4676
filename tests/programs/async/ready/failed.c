/* SPDX-License-Identifier: MIT */
/* The connection fails, and the socket is connected again. */
#include "async/ready/ready.h"

static void check_failure(const char* how) {
  begin_connect(91);
  tell(&server, "%s", how);
  look("refused", POLLIN | POLLOUT, -1);
  look("again", POLLIN | POLLOUT, 0);
  fact("SO_ERROR: %s", so_error(fd));
  fact("SO_ERROR: %s", so_error(fd));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("peer: %s", peer_address(fd));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("connect: %s", result(reach(fd, &server)));
  look("connected again", POLLIN | POLLOUT, 10);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "grant");
  if (flags & EPOLLONESHOT)
    enter(fd, EPOLL_CTL_MOD);
  look("granted", POLLIN | POLLOUT, -1);
  check_connected(fd, &server);
}

TEST_EACH(refused, way, ways) {
  set_up(way);
  check_failure("refuse");
}

TEST_EACH(closed, way, ways) {
  set_up(way);
  check_failure("close");
}

TEST_EACH(reset, way, ways) {
  set_up(way);
  check_failure("reset");
}

/* A second connect() asks for the outcome instead of SO_ERROR. */
TEST_EACH(asked_by_connect, way, ways) {
  set_up(way);
  begin_connect(91);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "refuse");
  look("refused", POLLIN | POLLOUT, -1);
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  fact("SO_ERROR: %s", so_error(fd));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("connect: %s", result(reach(fd, &server)));
  look("connected again", POLLIN | POLLOUT, 10);
}
