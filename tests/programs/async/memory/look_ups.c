/* SPDX-License-Identifier: MIT */
/* getpeername() costs the same with ten and with $SOCKETS open connections to $DESTINATION. */
#include "testing.h"
#include <sys/resource.h>
#include <time.h>

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static double cost_of_a_round(const int* fds) {
  enum { CALLS = 2000 };
  double begin = nanoseconds();
  for (int i = 0; i < CALLS; ++i) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getpeername(fds[i % 10], (struct sockaddr*)&address, &length) != 0)
      die("getpeername");
  }
  return (nanoseconds() - begin) / CALLS;
}

/* Nanoseconds per call for the first ten sockets, in the best of many rounds: that one was not disturbed. */
static double cost(const int* fds) {
  double best = 1e9;
  for (int round = 0; round < 40; ++round) {
    double this = cost_of_a_round(fds);
    best = this < best ? this : best;
  }
  return best;
}

static void open_connections(int* fds, int first, int end) {
  for (int i = first; i < end; ++i) {
    fds[i] = reset_on_close(socket(AF_INET, SOCK_STREAM, 0));
    if (connect_to(fds[i], getenv("DESTINATION"), AF_INET) != 0)
      die("connect");
  }
}

static void allow_descriptors(int count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = count;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    die("setrlimit");
}

TEST(look_ups) {
  int sockets = atoi(getenv("SOCKETS"));
  int* fds = malloc(sizeof(int) * sockets);
  allow_descriptors(sockets + 100);
  open_connections(fds, 0, 10);
  double few = cost(fds);
  open_connections(fds, 10, sockets);
  double many = cost(fds), last = cost(fds + sockets - 10);
  fact("%.0f ns with 10 sockets, %.0f ns with %d, %.0f ns for the last of them", few, many, sockets, last);
  EXPECT(many < 3 * few);
  EXPECT(last < 3 * few);
}
