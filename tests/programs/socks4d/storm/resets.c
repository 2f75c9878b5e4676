/* SPDX-License-Identifier: MIT */
/* Resets by either side, at every stage of a connection: the other side must hear of them. */
#include "socks4d/storm/storm.h"

static char block[65536];

/* Data may come first. */
static void receive_reset(int fd) {
  ssize_t got;
  do
    require(is_ready(fd, POLLIN, LIMIT_MS), "the other side hears nothing of a reset");
  while ((got = recv(fd, block, sizeof block, 0)) > 0);
  require(got < 0 && errno == ECONNRESET, "not a reset");
}

static void fill(int fd) {
  while (send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    ;
}

static void reset_before_request(long bytes) {
  int client = dial();
  require(send(client, "\4\1", bytes, MSG_NOSIGNAL) == bytes, "send the beginning of a request");
  close(client);
}

/* The server may connect to the application or not: nobody waits for that. */
static void reset_after_request(void) {
  static struct sockaddr_in elsewhere;
  static int unused = -1;
  if (unused < 0) {
    elsewhere = address_without_port();
    unused = listen_at(&elsewhere);
  }
  int client = dial();
  send_request(client, &elsewhere);
  close(client);
  drop_connections(unused);
}

enum data { NO_DATA, DATA_TO_THE_FIRST, DATA_FROM_THE_FIRST };

/* The first side closes the connection, and the other one must hear a reset. */
static void reset_connection(int by_client, enum data data) {
  int client = dial();
  send_request(client, &app);
  receive_grant(client);
  int server = accept_at(listening);
  int first = by_client ? client : server, other = by_client ? server : client;
  if (data != NO_DATA)
    fill(data == DATA_FROM_THE_FIRST ? first : other);
  close(first);
  receive_reset(other);
  close(other);
}

TEST(resets) {
  set_up();
  for (long count = count_wanted(); turn < count; ++turn) {
    long stage = turn % 9;
    if (stage < 2)
      reset_before_request(stage * 2);
    else if (stage == 2)
      reset_after_request();
    else
      reset_connection(stage % 2, stage < 5 ? NO_DATA : stage < 7 ? DATA_TO_THE_FIRST : DATA_FROM_THE_FIRST);
  }
}
