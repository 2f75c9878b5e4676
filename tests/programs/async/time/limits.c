/* SPDX-License-Identifier: MIT */
/* Time limits of waiting, and what waiting costs. */
#include "async/time/time.h"
#include <sys/resource.h>

/* The limit passes while the server holds the reply, and while it sends it byte by byte. */
TEST_EACH(limits, way, ways) {
  begin_connect();
  for (int i = 0; i < 3; ++i)
    fact("held: %s", outcome(way->wait(10)));
  fact("at once: %s", outcome(way->wait(0)));
  for (int bytes = 1; bytes < 8; ++bytes) {
    tell(&server, "drip %d", bytes);
    fact("with %d bytes: %s", bytes, outcome(way->wait(bytes % 3)));
  }
  tell(&server, "grant");
  fact("granted: %s", outcome(way->wait(30000)));
  check_connected(fd, &server);
}

/* No wait ends before its limit. */
TEST_EACH(no_shorter, way, ways) {
  struct timespec before, after;
  begin_connect();
  for (int limit = 1; limit < 40; limit += 7) {
    clock_gettime(CLOCK_MONOTONIC, &before);
    int ready = way->wait(limit);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double passed = (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6;
    fact("%s%s", outcome(ready), passed < limit ? ", too early" : "");
  }
}

/* The CPU time of one second of waiting, with half of the reply received. Each way has a thread. */
static double cpu_of_thread(void) {
  struct rusage used;
  getrusage(RUSAGE_THREAD, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void* wait_a_second(void* argument) {
  int (*wait)(int) = argument;
  double before = cpu_of_thread();
  int ready = wait(1000);
  double cost = cpu_of_thread() - before;
  if (ready != 0 || cost > 0.2)
    fact("%d, %.3f s of CPU", ready, cost);
  return NULL;
}

static int by_edge(int milliseconds) {
  int edge = epoll_create1(0);
  struct epoll_event one = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP};
  epoll_ctl(edge, EPOLL_CTL_ADD, fd, &one);
  return epoll_wait(edge, &one, 1, milliseconds);
}

static int by_connect(int milliseconds) {
  int one = tcp_socket(AF_INET);
  struct timeval limit = milliseconds_as_timeval(milliseconds);
  setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  int ready = reach(one, &server) == 0 || errno != EINPROGRESS;
  close(one);
  return ready;
}

static int by_read(int milliseconds) {
  int one = blocking(pending_socket(&server));
  struct timeval limit = milliseconds_as_timeval(milliseconds);
  setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int ready = read(one, &(char){0}, 1) >= 0 || errno != EAGAIN;
  close(one);
  return ready;
}

TEST(idle) {
  int (*const all[])(int) = {by_poll, by_select, by_pselect, by_epoll, by_epoll_pwait2, by_edge, by_connect, by_read};
  enum { count = sizeof all / sizeof *all };
  pthread_t handles[count];
  begin_connect();
  tell(&server, "drip 4");
  for (int i = 0; i < count; ++i)
    pthread_create(handles + i, NULL, wait_a_second, all[i]);
  for (int i = 0; i < count; ++i)
    pthread_join(handles[i], NULL);
  fact("waited");
}
