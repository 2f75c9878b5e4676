/* SPDX-License-Identifier: MIT */
/* connect() and getpeername() while a connect() is in progress. */
#include "async/early/early.h"

TEST(connect_again) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server);
  for (int i = 0; i < 3; ++i)
    fact("connect: %s", result(reach(fd, &server)));
  fact("connect to another server: %s", result(reach(fd, &other)));
  fact("bind: %s", result(bind_to(fd, "127.0.0.1:0", AF_INET)));
  fact("listen: %s", result(listen(fd, 1)));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("no address: %s", result(connect(fd, NULL, 16)));
  fact("short address: %s", result(connect(fd, &(struct sockaddr){0}, 1)));
  fact("peer: %s", peer_address(fd));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect to another server: %s", result(reach(fd, &other)));
  fact("connect: %s", result(reach(fd, &server)));
  check_connected(fd, &server);
  check_requests(&server, 1);
  check_requests(&other, 0);
}

TEST(getpeername) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  fact("peer: %s", peer_address(fd));
  tell(&server, "grant");
  int tries = 0;
  while (strcmp(peer_of(fd, &server), "the destination") != 0 && ++tries < 30000)
    usleep(1000);
  fact("peer: %s", peer_of(fd, &server));
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  check_connected(fd, &server);
}

TEST(getpeername_refused) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("peer: %s", peer_address(fd));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_address(fd));
}

/* connect() again until it no longer returns EALREADY, as hiredis does. */
TEST(poll_by_connect) {
  struct server server = slow_server();
  int fd = pending_socket(&server), tries = 0, again;
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "grant");
  while ((again = reach(fd, &server)) != 0 && errno == EALREADY && ++tries < 30000)
    usleep(1000);
  fact("connect: %s", result(again));
  fact("connect: %s", result(reach(fd, &server)));
  check_connected(fd, &server);
}

TEST(poll_by_connect_refused) {
  struct server server = slow_server();
  int fd = pending_socket(&server), tries = 0, again;
  tell(&server, "await 1");
  tell(&server, "refuse");
  while ((again = reach(fd, &server)) != 0 && errno == EALREADY && ++tries < 30000)
    usleep(1000);
  fact("connect: %s", result(again));
  tell(&server, "hold");
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
}

/* A thread's connect(), which waits for an answer. */
struct connecting {
  const struct server* server;
  int fd;
  volatile int answered;
};

static void* run_connect(void* argument) {
  struct connecting* connecting = argument;
  const char* outcome = result(reach(connecting->fd, connecting->server));
  fact("%s: %s", connecting->answered ? "answered" : "too early", outcome);
  return NULL;
}

/* A blocking connect() takes over from a non-blocking one. */
static void connect_blocking_with(const char* command) {
  struct server server = slow_server();
  struct connecting connecting = {.server = &server, .fd = blocking(pending_socket(&server))};
  struct sleeper sleeper = {.run = run_connect, .argument = &connecting};
  pthread_t handle = start_sleeper(&sleeper);
  connecting.answered = 1;
  tell(&server, "%s", command);
  pthread_join(handle, NULL);
  if (strcmp(command, "refuse") == 0)
    tell(&server, "hold");
  fact("connect: %s", result(reach(nonblocking(connecting.fd), &server)));
  fact("SO_ERROR: %s", so_error(connecting.fd));
  fact("poll: %s", polled(connecting.fd, POLLIN | POLLOUT, 0));
}

TEST(connect_blocking) { connect_blocking_with("grant"); }

TEST(connect_blocking_refused) { connect_blocking_with("refuse"); }

/* A blocking connect() waits in one thread, and another one makes the socket non-blocking. */
TEST(blocking_first) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  struct connecting connecting = {.server = &server, .fd = fd};
  struct sleeper sleeper = {.run = run_connect, .argument = &connecting};
  pthread_t handle = start_sleeper(&sleeper);
  tell(&server, "await 1");
  nonblocking(fd);
  fact("peer: %s", peer_address(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  fact("read: %s", returned(read(fd, &(char){0}, 1)));
  fact("write: %s", returned(write(fd, "hello\n", 6)));
  connecting.answered = 1;
  tell(&server, "grant");
  const char* seen = polled(fd, POLLOUT, -1);
  pthread_join(handle, NULL); /* whose fact comes first */
  fact("poll: %s", seen);
  check_connected(fd, &server);
}
