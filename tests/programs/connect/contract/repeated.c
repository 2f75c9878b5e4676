/* SPDX-License-Identifier: MIT */
/* Hundreds of connections, to $DESTINATION or refused at $REFUSING, leave no descriptor behind. */
#include "testing.h"

static int connect_to_variable(int fd, const char* variable) { return connect_to(fd, getenv(variable), AF_INET); }

TEST(new_sockets) {
  int fds = count_fds();
  for (int i = 0; i < 100; ++i) {
    int good = tcp_socket(AF_INET), bad = tcp_socket(AF_INET);
    EXPECT_OK(connect_to_variable(good, "DESTINATION"));
    EXPECT_TEXT(converse(good), "ok");
    EXPECT_ERROR(connect_to_variable(bad, "REFUSING"), ECONNREFUSED);
    close(good);
    close(bad);
  }
  EXPECT_INT(count_fds(), fds);
}

TEST(same_socket) {
  int fds = count_fds(), fd = tcp_socket(AF_INET);
  for (int i = 0; i < 100; ++i)
    EXPECT_ERROR(connect_to_variable(fd, "REFUSING"), ECONNREFUSED);
  EXPECT_OK(connect_to_variable(fd, "DESTINATION"));
  EXPECT_TEXT(converse(fd), "ok");
  close(fd);
  EXPECT_INT(count_fds(), fds);
}
