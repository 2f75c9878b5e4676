/* SPDX-License-Identifier: MIT */
/* Readers that stop reading: the server stops the writers, and loses nothing. */
#include "socks4d/storm/storm.h"

static char block[65536];

static long send_until_stopped(int fd) {
  long total = 0;
  while (is_ready(fd, POLLOUT, 300)) {
    ssize_t done = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
    total += done > 0 ? done : 0;
    require(total < 64 << 20, "never stopped"); /* Linux buffers at most 20 MiB in two connections */
  }
  return total;
}

static void receive_all(int fd, long left) {
  for (ssize_t got; left > 0; left -= got) {
    got = is_ready(fd, POLLIN, LIMIT_MS) ? recv(fd, block, sizeof block, 0) : 0;
    require(got > 0, "bytes are lost");
  }
}

TEST(stopped) {
  static struct {
    int client, server;
    long sent;
  } pairs[MOST];
  long count = count_wanted();
  set_up();
  for (turn = 0; turn < count; ++turn) {
    int client = pairs[turn].client = dial();
    send_request(client, &app);
    receive_grant(client);
    int server = pairs[turn].server = accept_at(listening);
    pairs[turn].sent = send_until_stopped(turn % 2 ? client : server);
  }
  hold();
  for (turn = 0; turn < count; ++turn) {
    receive_all(turn % 2 ? pairs[turn].server : pairs[turn].client, pairs[turn].sent);
    close(pairs[turn].client);
    close(pairs[turn].server);
  }
}
