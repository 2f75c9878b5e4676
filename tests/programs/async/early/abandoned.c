/* SPDX-License-Identifier: MIT */
/* Connections that are abandoned while in progress, or after a refusal. */
#include "async/early/early.h"

static void shut(int how) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  fact("shutdown: %s", result(shutdown(fd, 77)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 10));
  fact("shutdown: %s", result(shutdown(fd, how)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_address(fd));
  fact("read: %s", returned(read(fd, &(char){0}, 1)));
  fact("write: %s", returned(write(fd, "hello\n", 6)));
  tell(&server, "gone 1");
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
}

TEST(shutdown_read) { shut(SHUT_RD); }

TEST(shutdown_write) { shut(SHUT_WR); }

TEST(shutdown_both) { shut(SHUT_RDWR); }

TEST(unspecified) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 5};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  fact("connect to AF_UNSPEC: %s", result(connect(fd, &none, sizeof none)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  fact("epoll: %d", epoll_wait(set, &event, 1, 0));
  fact("event: %llx %s", (unsigned long long)event.data.u64, events(event.events));
  fact("peer: %s", peer_address(fd));
  fact("connect: %s", result(reach(fd, &other)));
  fact("epoll: %d", epoll_wait(set, &event, 1, 10));
  tell(&other, "grant");
  fact("epoll: %d", epoll_wait(set, &event, 1, -1));
  fact("event: %llx %s", (unsigned long long)event.data.u64, events(event.events));
  check_connected(fd, &other);
  fact("connect to AF_UNSPEC: %s", result(connect(fd, &none, sizeof none)));
  fact("peer: %s", peer_address(fd));
}

TEST(refused_unspecified) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect to AF_UNSPEC: %s", result(connect(fd, &none, sizeof none)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
}

TEST(refused_shutdown) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("shutdown: %s", result(shutdown(fd, SHUT_RDWR)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
}

/* Closed by a program that never asks for the outcome. */
TEST(closed) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  close(fd);
  fact("gone: %s", tell(&server, "gone 1"));
  fact("early: %s", tell(&server, "early"));
}
