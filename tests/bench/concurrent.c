/* SPDX-License-Identifier: MIT */
/* concurrent WAY level|edge|registered|poll|select COUNT LIMIT_MS: that many non-blocking connects in one thread, of
   which each is answered late. Prints the milliseconds until all are connected and of CPU time, or what was wrong:

     blocks   a non-blocking connect() waits      early   reported as connected before it was
     hangs    not finished at the limit           fails   an error, which is on stderr */
#include "socks.h"
#include <sys/epoll.h>
#include <sys/select.h>

enum { MOST = 2000 };
enum stage { CONNECTING, REQUESTED, CONNECTED };

static int fds[MOST], count, left;
static enum stage stages[MOST];
static double limit_us;

/* The ways of waiting. `watch` is told when the question changes, `wait` calls step() for each answer. */
static void (*watch)(int i, int events, int is_new);
static void (*wait_once)(void);

static void step(int i, int failed);

static int ms_left(void) {
  double us = limit_us - now_us();
  if (us <= 0)
    give_up("hangs");
  return us / 1000 + 1;
}

static int epfd;
static void watch_epoll(int i, int events, int is_new) {
  struct epoll_event event = {.events = events & POLLOUT ? EPOLLOUT : EPOLLIN, .data.u32 = i};
  epoll_ctl(epfd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fds[i], &event);
}
static void watch_edges(int i, int events, int is_new) {
  (void)events;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = i};
  if (is_new)
    epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event);
}
static void wait_epoll(void) {
  struct epoll_event events[256];
  int ready = epoll_wait(epfd, events, 256, ms_left());
  expect(ready >= 0, "epoll_wait");
  for (int e = 0; e < ready; ++e)
    step(events[e].data.u32, events[e].events & (EPOLLERR | EPOLLHUP));
}

static struct pollfd polled[MOST];
static void watch_poll(int i, int events, int is_new) {
  (void)is_new;
  polled[i] = (struct pollfd){stages[i] == CONNECTED ? -1 : fds[i], events, 0};
}
static void wait_poll(void) {
  int ready = poll(polled, count, ms_left());
  expect(ready >= 0, "poll");
  for (int i = 0; i < count; ++i)
    if (polled[i].revents)
      step(i, polled[i].revents & (POLLERR | POLLHUP));
}

static fd_set asked_read, asked_write;
static void watch_select(int i, int events, int is_new) {
  (void)is_new;
  FD_CLR(fds[i], &asked_read);
  FD_CLR(fds[i], &asked_write);
  if (stages[i] != CONNECTED)
    FD_SET(fds[i], events & POLLOUT ? &asked_write : &asked_read);
}
static void wait_select(void) {
  fd_set readable = asked_read, writable = asked_write;
  struct timeval timeout = {ms_left() / 1000, ms_left() % 1000 * 1000};
  expect(select(fds[count - 1] + 1, &readable, &writable, NULL, &timeout) >= 0, "select");
  for (int i = 0; i < count; ++i)
    if (FD_ISSET(fds[i], &readable) || FD_ISSET(fds[i], &writable))
      step(i, 0);
}

static void advance(int i, enum stage stage) {
  stages[i] = stage;
  left -= stage == CONNECTED;
  watch(i, POLLIN, 0);
}

static void step(int i, int failed) {
  int error = 0;
  socklen_t length = sizeof error;
  if (stages[i] == CONNECTING) {
    expect(getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &error, &length) == 0, "SO_ERROR");
    errno = error;
    expect(!error && !failed, "connect");
    expect(!by_hand || send_request(fds[i]), "request");
    advance(i, by_hand ? REQUESTED : CONNECTED);
  } else if (stages[i] == REQUESTED) {
    if (receive_reply(fds[i]))
      advance(i, CONNECTED);
    else
      expect(errno == EAGAIN, "reply");
  }
}

static void choose(const char* way, int* register_first) {
  *register_first = strcmp(way, "registered") == 0;
  epfd = epoll_create1(0);
  watch = watch_epoll, wait_once = wait_epoll;
  if (strcmp(way, "edge") == 0)
    watch = watch_edges;
  if (strcmp(way, "poll") == 0)
    watch = watch_poll, wait_once = wait_poll;
  if (strcmp(way, "select") == 0)
    watch = watch_select, wait_once = wait_select;
}

int main(int argc, char** argv) {
  expect(argc == 5, "arguments");
  begin(argv[1], LATE_ECHO);
  int register_first;
  choose(argv[2], &register_first);
  count = left = atoi(argv[3]);
  expect(count <= MOST, "COUNT");
  for (int i = 0; i < count; ++i)
    fds[i] = tcp_socket(SOCK_NONBLOCK);

  double began = now_us(), cpu_began = cpu_us();
  limit_us = began + atoi(argv[4]) * 1e3;
  for (int i = 0; i < count; ++i) {
    if (register_first)
      watch(i, POLLOUT, 1);
    int is_done = start_connect(fds[i]) == 0 && !by_hand;
    expect(is_done || errno == EINPROGRESS || by_hand, "connect");
    if (now_us() - began > LATENESS_MS * 1000 * (i + 1) || now_us() > limit_us)
      give_up("blocks");
    if (is_done)
      stages[i] = CONNECTED, left--;
    if (!register_first)
      watch(i, is_done ? POLLIN : POLLOUT, 1);
  }
  while (left > 0)
    wait_once();
  double took = now_us() - began, cpu_took = cpu_us() - cpu_began;

  if (took < LATENESS_MS * 1000)
    give_up("early");
  for (int i = 0; i < count; ++i)
    if (!echoes(fds[i]))
      give_up("early");
  printf("%f %f\n", took / 1e3, cpu_took / 1e3);
}
