/* SPDX-License-Identifier: MIT */
/* Many clients, one after the other or at the same time. */
#include "socks4d/storm/storm.h"

static void pass_byte(int from, int to) {
  char byte = 'x';
  require(send(from, &byte, 1, MSG_NOSIGNAL) == 1, "send");
  require(is_ready(to, POLLIN, LIMIT_MS) && recv(to, &byte, 1, 0) == 1, "a byte is lost");
}

static void connect_once(void) {
  int client = dial();
  send_request(client, &app);
  receive_grant(client);
  int server = accept_at(listening);
  pass_byte(client, server);
  pass_byte(server, client);
  close(client);
  close(server);
}

/* One after the other: a request, a reply, a byte in each direction, a reset. */
TEST(connects) {
  set_up();
  for (long count = count_wanted(); turn < count; ++turn)
    connect_once();
}

/* Clients that send nothing, and as many that send half a request. */
TEST(held) {
  set_up();
  for (long count = count_wanted(); turn < count; ++turn) {
    dial();
    require(send(dial(), "\4\1\0\120\177", 5, MSG_NOSIGNAL) == 5, "send half a request");
  }
  hold();
}

/* Serves the clients whose reply has come, and returns their number. The backlog holds their connections. */
static long serve_granted(struct pollfd* clients, long count) {
  long served = 0;
  require(poll(clients, count, LIMIT_MS) >= 0, "poll");
  for (turn = 0; turn < count; ++turn) {
    if (clients[turn].fd < 0 || !clients[turn].revents)
      continue;
    receive_grant(clients[turn].fd);
    close(clients[turn].fd);
    clients[turn].fd = -1;
    ++served;
  }
  return served;
}

/* More clients than the server has room for: in the end each is served. */
TEST(crowd) {
  static struct pollfd clients[MOST];
  long count = count_wanted(), served;
  set_up();
  for (turn = 0; turn < count; ++turn) {
    clients[turn] = (struct pollfd){.fd = dial(), .events = POLLIN};
    send_request(clients[turn].fd, &app);
  }
  require(poll(clients, count, LIMIT_MS) > 0, "nobody is served");
  hold();
  long left = count - serve_granted(clients, count);
  require(left > 0, "there was room for all");
  for (; left > 0; left -= served) {
    served = serve_granted(clients, count);
    require(served > 0, "some are never served");
  }
}
