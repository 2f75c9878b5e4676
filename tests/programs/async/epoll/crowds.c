/* SPDX-License-Identifier: MIT */
/* Many sockets in one set. */
#include "async/epoll/epoll.h"

/* More sockets are ready than the array has room for: in the end each has been reported once. */
TEST(one_event_at_a_time) {
  enum { count = 8 };
  struct server server = slow_server();
  int set = new_set(), fd[count], seen[count] = {0}, total = 0;
  for (int i = 0; i < count; ++i)
    add(set, fd[i] = pending_socket(&server), EPOLLOUT | EPOLLET, i);
  show_events("at once", set, 10);
  tell(&server, "grant");
  while (total < count) {
    struct epoll_event event = {0};
    if (epoll_wait(set, &event, 1, 30000) != 1)
      break;
    total += !seen[event.data.u64]++;
  }
  fact("reported: %d", total);
  show_events("again", set, 0);
  for (int i = 0; i < count; ++i)
    if (seen[i] != 1)
      fact("%d: %d times", i, seen[i]);
}

/* Data words: the granted connections count from 0, the refused ones from REFUSED. */
enum { PAIRS = 150, REFUSED = 1000, PIPE = 100000 };

struct tally {
  int connected, refused, wrong, piped;
  char seen[2 * REFUSED];
};

/* Counts each connection once: those with EPOLLET or EPOLLONESHOT report once, the others again and again. */
static void count_event(struct tally* tally, const struct epoll_event* event) {
  uint64_t word = event->data.u64;
  if (word == PIPE) {
    ++tally->piped;
    return;
  }
  if (word >= 2 * REFUSED || tally->seen[word])
    return;
  tally->seen[word] = 1;
  if (word < REFUSED && event->events == EPOLLOUT)
    ++tally->connected;
  else if (word >= REFUSED && event->events == (EPOLLIN | EPOLLERR | EPOLLHUP))
    ++tally->refused;
  else
    ++tally->wrong;
}

static void add_pairs(int set, const struct server* good, const struct server* bad) {
  for (int i = 0; i < PAIRS; ++i) {
    add(set, pending_socket(good), EPOLLOUT | (i % 2 ? EPOLLET : 0), i);
    add(set, pending_socket(bad), EPOLLIN | (i % 2 ? EPOLLONESHOT : 0), REFUSED + i);
  }
}

/* Granted and refused connections, and a pipe among them. */
TEST(crowd) {
  struct server good = slow_server(), bad = slow_server();
  static struct tally tally;
  int set = new_set(), ends[2];
  if (pipe(ends) != 0)
    die("pipe");
  add(set, ends[0], EPOLLIN, PIPE);
  add_pairs(set, &good, &bad);
  show_events("at once", set, 10);
  if (write(ends[1], "x", 1) != 1)
    die("write");
  show_events("the pipe", set, -1);
  tell(&good, "grant");
  tell(&bad, "refuse");
  while (tally.connected + tally.refused < 2 * PAIRS) {
    struct epoll_event ready[64];
    int n = epoll_wait(set, ready, 64, 30000);
    if (n <= 0)
      break;
    for (int i = 0; i < n; ++i)
      count_event(&tally, ready + i);
  }
  fact("connected: %d, refused: %d, wrong: %d, pipe: %d", tally.connected, tally.refused, tally.wrong, tally.piped > 0);
}
