/* SPDX-License-Identifier: MIT */
/* async_memory serve IP: a SOCKS4 server that grants everything at once, and plays the application server: it says nothing.
   async_memory list: the cases.
   async_memory CASE CYCLES IP:PORT: connections without end, each CASE closing them in its way; memory and descriptors stay.
   async_memory look-ups SOCKETS IP:PORT: what getpeername() costs with 10 and with so many open connections. */
#include "slow.h"
#include <sys/resource.h>

static void all_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* A request fits into one segment, and is nine bytes or more. */
static void serve(const char *ip) {
  static const char granted[8] = {0, 90};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(ip)};
  socklen_t length = sizeof address;
  struct epoll_event all[256];
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
  if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0)
    die("serve");
  getsockname(listener, (struct sockaddr *)&address, &length);
  fact("async_memory: listening on %s", text(&address));
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(set, all, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = all[i].data.fd, client;
      char request[512];
      if (fd == listener) {
        while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          event.data.fd = client;
          epoll_ctl(set, EPOLL_CTL_ADD, client, &event);
        }
      } else if (read(fd, request, sizeof request) <= 0 || send(fd, granted, 8, MSG_NOSIGNAL) != 8) {
        close(fd);
      }
    }
  }
}

static const char *where;

/* Resets, so that the ports of closed connections come back at once. */
static int linger_not(int fd) {
  struct linger now = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  return fd;
}
static int open_one(void) {
  int fd = linger_not(socket(AF_INET, SOCK_STREAM, 0));
  if (connect_to(fd, where, AF_INET) != 0)
    die("connect");
  return fd;
}
static int begin_one(void) {
  int fd = linger_not(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  if (connect_to(fd, where, AF_INET) != 0 && errno != EINPROGRESS)
    die("connect");
  return fd;
}
static int finish(int fd) {
  if (strcmp(polled(fd, POLLOUT, 30000), "OUT") != 0)
    die("poll");
  return fd;
}

static int set, nowhere;
static void enter(int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = fd};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}
static void by_close(void) { close(open_one()); }
static void by_fclose(void) { fclose(fdopen(open_one(), "r+")); }
static void by_close_range(void) {
  int fd = open_one();
  close_range(fd, fd, 0);
}
static void by_dup2(void) {
  int fd = open_one();
  dup2(nowhere, fd);
  close(fd);
}
static void after_poll(void) { close(finish(begin_one())); }
static void while_pending(void) { close(begin_one()); }
static void while_pending_dup2(void) {
  int fd = begin_one();
  dup2(nowhere, fd);
  close(fd);
}
static void in_set(void) {
  struct epoll_event event;
  int fd = begin_one();
  enter(fd);
  if (epoll_wait(set, &event, 1, 30000) != 1)
    die("epoll_wait");
  close(fd);
}
static void in_set_while_pending(void) {
  int fd = begin_one();
  enter(fd);
  close(fd);
}
static void in_set_before(void) {
  int fd = linger_not(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  enter(fd);
  connect_to(fd, where, AF_INET);
  close(fd);
}
/* A hundred at the same time, half of them given up. */
static void hundreds(void) {
  int fds[100];
  for (int i = 0; i < 100; ++i)
    fds[i] = begin_one();
  for (int i = 0; i < 100; i += 2)
    finish(fds[i]);
  for (int i = 0; i < 100; ++i)
    close(fds[i]);
}

static const struct {
  const char *name;
  void (*run)(void);
  int connections;
} cases[] = {
    {"close", by_close, 1},
    {"fclose", by_fclose, 1},
    {"close_range", by_close_range, 1},
    {"dup2", by_dup2, 1},
    {"poll", after_poll, 1},
    {"pending", while_pending, 1},
    {"pending-dup2", while_pending_dup2, 1},
    {"epoll", in_set, 1},
    {"epoll-pending", in_set_while_pending, 1},
    {"epoll-before", in_set_before, 1},
    {"hundreds", hundreds, 100},
};

static long resident_kib(void) {
  long pages = -1;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1)
    die("statm");
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void endless(void (*run)(void), int connections, int cycles) {
  nowhere = open("/dev/null", O_RDONLY);
  set = epoll_create1(0);
  resident_kib(); /* what stdio needs */
  for (int i = 0; i < 1000; i += connections)
    run();
  long before = resident_kib();
  int fds = open_fds();
  for (int i = 1000; i < cycles; i += connections)
    run();
  long more = resident_kib() - before;
  if (getenv("NO_RSS"))
    more = 0;
  if (more > 256)
    fact("KiB more: %ld", more);
  fact("bounded: %s, descriptors more: %d", more <= 256 ? "yes" : "no", open_fds() - fds);
}

/* Nanoseconds for a getpeername() of the first ten; the best of many rounds, which nothing has disturbed. */
static double cost(const int *fds) {
  double best = 1e9;
  for (int round = 0; round < 40; ++round) {
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (int i = 0; i < 2000; ++i) {
      struct sockaddr_in address;
      socklen_t length = sizeof address;
      if (getpeername(fds[i % 10], (struct sockaddr *)&address, &length) != 0)
        die("getpeername");
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double passed = (after.tv_sec - before.tv_sec) * 1e9 + (after.tv_nsec - before.tv_nsec);
    best = passed / 2000 < best ? passed / 2000 : best;
  }
  return best;
}
static void look_ups(int sockets) {
  int *fds = malloc(sizeof(int) * sockets), i;
  for (i = 0; i < 10; ++i)
    fds[i] = open_one();
  double few = cost(fds);
  for (; i < sockets; ++i)
    fds[i] = open_one();
  double many = cost(fds);
  double last = cost(fds + sockets - 10);
  fact("%.0f ns with 10 sockets, %.0f ns with %d, %.0f ns for the last of them: ratio %.2f", few, many, sockets, last,
       (many > last ? many : last) / few);
  fact("the same: %s", many < 3 * few && last < 3 * few ? "yes" : "no");
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  all_descriptors();
  if (argc == 2)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
      puts(cases[i].name);
  if (argc < 3)
    return argc == 1 ? 2 : 0;
  where = argc > 3 ? argv[3] : "";
  if (strcmp(argv[1], "serve") == 0)
    serve(argv[2]);
  if (strcmp(argv[1], "look-ups") == 0)
    look_ups(atoi(argv[2]));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    if (strcmp(argv[1], cases[i].name) == 0)
      endless(cases[i].run, cases[i].connections, atoi(argv[2]));
}
