/* SPDX-License-Identifier: MIT */
/* Opens and closes $CYCLES connections to $DESTINATION in each of several ways: memory and descriptors stay bounded. */
#include "testing.h"
#include <stdint.h>
#include <sys/epoll.h>

enum { WARM_UP = 1000, MOST_KIB_MORE = 256 };

static int begin(int fd) {
  if (connect_to(fd, getenv("DESTINATION"), AF_INET) != 0 && errno != EINPROGRESS)
    die("connect");
  return fd;
}

static int connected_socket(void) { return begin(reset_on_close(socket(AF_INET, SOCK_STREAM, 0))); }

static int nonblocking_tcp(void) { return reset_on_close(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)); }

static int pending(void) { return begin(nonblocking_tcp()); }

static int await_output(int fd) {
  if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 30000) != 1)
    die("poll");
  return fd;
}

static void replace_and_close(int fd) {
  static int null = -1;
  if (null < 0)
    null = open("/dev/null", O_RDONLY);
  dup2(null, fd);
  close(fd);
}

static int epoll_set(void) {
  static int set = -1;
  if (set < 0)
    set = epoll_create1(0);
  return set;
}

static int registered(int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = fd};
  epoll_ctl(epoll_set(), EPOLL_CTL_ADD, fd, &event);
  return fd;
}

static void by_close(void) { close(connected_socket()); }

static void by_fclose(void) { fclose(fdopen(connected_socket(), "r+")); }

static void by_close_range(void) {
  int fd = connected_socket();
  close_range(fd, fd, 0);
}

static void by_dup2(void) { replace_and_close(connected_socket()); }

static void after_poll(void) { close(await_output(pending())); }

static void while_pending(void) { close(pending()); }

static void while_pending_by_dup2(void) { replace_and_close(pending()); }

static void after_epoll(void) {
  struct epoll_event event;
  int fd = registered(pending());
  if (epoll_wait(epoll_set(), &event, 1, 30000) != 1)
    die("epoll_wait");
  close(fd);
}

static void registered_while_pending(void) { close(registered(pending())); }

static void registered_before_connect(void) { close(begin(registered(nonblocking_tcp()))); }

/* A hundred at the same time; half of them are closed while pending. */
static void hundreds(void) {
  int fds[100];
  for (int i = 0; i < 100; ++i)
    fds[i] = pending();
  for (int i = 0; i < 100; i += 2)
    await_output(fds[i]);
  for (int i = 0; i < 100; ++i)
    close(fds[i]);
}

static const struct {
  const char* name;
  void (*run)(void);
  int connections;
} ways[] = {
    {"close", by_close, 1},
    {"fclose", by_fclose, 1},
    {"close_range", by_close_range, 1},
    {"dup2", by_dup2, 1},
    {"poll", after_poll, 1},
    {"pending", while_pending, 1},
    {"pending_dup2", while_pending_by_dup2, 1},
    {"epoll", after_epoll, 1},
    {"epoll_pending", registered_while_pending, 1},
    {"epoll_before", registered_before_connect, 1},
    {"hundreds", hundreds, 100},
};

static long resident_kib(void) {
  long pages = -1;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1)
    die("statm");
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A sanitizer keeps memory of its own, so that only descriptors count: $NO_RSS. */
TEST_EACH(bounded, way, ways) {
  int cycles = atoi(getenv("CYCLES"));
  resident_kib(); /* allocates what stdio needs */
  for (int i = 0; i < WARM_UP; i += way->connections)
    way->run();
  long before = resident_kib();
  int fds = count_fds();
  for (int i = WARM_UP; i < cycles; i += way->connections)
    way->run();
  EXPECT_INT(count_fds(), fds);
  long more = resident_kib() - before;
  if (!getenv("NO_RSS") && more > MOST_KIB_MORE)
    EXPECT_INT(more, 0);
}
