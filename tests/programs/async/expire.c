/* SPDX-License-Identifier: MIT */
/* SOCKSIFY_TIMEOUT, which is short here, ends a connect() that the SOCKS server does not answer. The kernel has no such
   limit, and cannot be the judge. */
#include "async/time/time.h"
#include <sys/resource.h>

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

/* The socket is in a set, which is asked in these ways, and so is a set in a set in a set. */
static int outer;

static int poll_set(int milliseconds) { return poll(&(struct pollfd){.fd = set, .events = POLLIN}, 1, milliseconds); }

static int poll_outer(int milliseconds) {
  return poll(&(struct pollfd){.fd = outer, .events = POLLIN}, 1, milliseconds);
}

static int select_outer(int milliseconds) {
  fd_set in;
  FD_ZERO(&in);
  FD_SET(outer, &in);
  return pselect(outer + 1, &in, NULL, NULL, limit_of(milliseconds), NULL);
}

static int epoll_outer(int milliseconds) { return epoll_wait(outer, &event, 1, milliseconds); }

static const struct way set_ways[] = {
    {"poll_set", poll_set}, {"poll_outer", poll_outer}, {"select_outer", select_outer}, {"epoll_outer", epoll_outer}};

static void nest(void) {
  struct epoll_event readable = {.events = EPOLLIN};
  int middle = epoll_create1(0);
  outer = epoll_create1(0);
  EXPECT_OK(epoll_ctl(middle, EPOLL_CTL_ADD, set, &readable));
  EXPECT_OK(epoll_ctl(outer, EPOLL_CTL_ADD, middle, &readable));
}

TEST_EACH(expires_in_sets, way, set_ways) {
  begin_connect();
  nest();
  EXPECT_INT(way->wait(-1), 1);
  EXPECT_TEXT(so_error(fd), "ETIMEDOUT");
}

/* Another thread has begun to wait before connect(). */
static void* wait_for_expiry(void* argument) {
  EXPECT_INT(((const struct way*)argument)->wait(-1), 1);
  return NULL;
}

static const struct way sleeping_ways[] = {{"epoll", by_epoll}, {"poll_set", poll_set}, {"epoll_outer", epoll_outer}};

TEST_EACH(expires_for_sleeper, way, sleeping_ways) {
  struct sleeper sleeper = {.run = wait_for_expiry, .argument = (void*)way};
  set = epoll_create1(0);
  nest();
  pthread_t handle = start_sleeper(&sleeper);
  server = slow_server();
  fd = pending_socket(&server);
  event = (struct epoll_event){.events = EPOLLOUT};
  EXPECT_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  pthread_join(handle, NULL);
  EXPECT_TEXT(so_error(fd), "ETIMEDOUT");
}

/* A socket that the program has closed is no reason to wake, even when its time is over. */
TEST(closed_costs_nothing) {
  struct rusage used;
  begin_connect();
  close(fd);
  EXPECT_INT(by_epoll(5000), 0);
  getrusage(RUSAGE_SELF, &used);
  EXPECT(used.ru_utime.tv_sec + used.ru_stime.tv_sec == 0);
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
