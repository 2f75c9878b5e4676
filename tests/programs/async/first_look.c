/* SPDX-License-Identifier: MIT */
/* The answer arrives before anybody waits for it: a first look, with no time limit left, must find it. The kernel
   cannot be the judge here, because nobody knows when its SYN arrives. */
#include "slow_server.h"

TEST(first_look) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLOUT};
  EXPECT_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  tell(&server, "await 1");
  tell(&server, "grant");
  EXPECT_INT(epoll_wait(set, &event, 1, 0), 1);
  EXPECT_TEXT(events(event.events), "OUT");
}
