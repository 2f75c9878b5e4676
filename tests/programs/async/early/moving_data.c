/* SPDX-License-Identifier: MIT */
/* Every call that moves data, before the connection is made or refused. */
#include "async/early/calls.h"

/* recv(MSG_TRUNC) without a buffer discards the data. */
static const char* received(const struct call* call) { return call->run == by_recv_trunc ? "" : buffer; }

static void check_data(const struct call* call, int fd) {
  if (call->reads)
    fact("in the buffer: %.6s", received(call));
  else
    fact("comes back: %s", comes_back(fd));
}

static void clear_buffer(void) { memset(buffer, '.', 6); }

static const char* granting(const struct call* call) { return call->reads ? "grant hello!" : "grant"; }

/* A non-blocking socket: EAGAIN until the connection is made, then the call works. */
TEST_EACH(nonblocking, call, calls) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  clear_buffer();
  fact("at once: %s", returned(call->run(fd)));
  tell(&server, "await 1");
  fact("with the request at the server: %s", returned(call->run(fd)));
  tell(&server, "drip 4");
  fact("with half of the reply: %s", returned(call->run(fd)));
  fact("in the buffer: %.6s", buffer);
  fact("SO_ERROR: %s", so_error(fd));
  tell(&server, "%s", granting(call));
  fact("poll: %s", polled(fd, call->reads ? POLLIN : POLLOUT, -1));
  fact("granted: %s", returned(call->run(fd)));
  check_data(call, fd);
  check_requests(&server, 1);
}

struct blocking_call {
  const struct call* call;
  int fd;
  volatile int answered;
};

static void* run_blocking_call(void* argument) {
  struct blocking_call* blocking_call = argument;
  clear_buffer();
  const char* outcome = returned(blocking_call->call->run(blocking_call->fd));
  fact("%s: %s", blocking_call->answered ? "answered" : "too early", outcome);
  return NULL;
}

/* Half of the reply arrives, and then all of it, while a thread waits in the call. */
static void answer_while_waiting(const struct server* server, const struct call* call, int fd, const char* answer,
                                 int code) {
  struct blocking_call blocking_call = {.call = call, .fd = fd};
  struct sleeper sleeper = {.run = run_blocking_call, .argument = &blocking_call};
  pthread_t handle = start_sleeper(&sleeper);
  tell(server, "await 1");
  tell(server, "drip 4 %d", code);
  await_sleep(sleeper.id);
  blocking_call.answered = 1;
  tell(server, "%s", answer);
  pthread_join(handle, NULL);
}

TEST_EACH(blocking, call, calls) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  answer_while_waiting(&server, call, fd, granting(call), 90);
  check_data(call, fd);
  fact("peer: %s", peer_of(fd, &server));
  check_requests(&server, 1);
}

/* The first call reports a refusal, and no later one does. */
static void check_refusal(const struct call* call, const char* answer) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "%s", answer);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("first: %s", returned(call->run(fd)));
  fact("second: %s", returned(call->run(fd)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
}

TEST_EACH(refused, call, calls) { check_refusal(call, "refuse"); }

TEST_EACH(denied, call, calls) { check_refusal(call, "refuse 93"); }

TEST_EACH(refused_after_so_error, call, calls) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("SO_ERROR: %s", so_error(fd));
  fact("first: %s", returned(call->run(fd)));
  fact("second: %s", returned(call->run(fd)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
}

static void check_refusal_while_waiting(const struct call* call, const char* answer, int code) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  answer_while_waiting(&server, call, fd, answer, code);
  fact("SO_ERROR: %s", so_error(fd));
  fact("again: %s", returned(call->run(fd)));
}

TEST_EACH(refused_while_waiting, call, calls) { check_refusal_while_waiting(call, "refuse", 91); }

TEST_EACH(denied_while_waiting, call, calls) { check_refusal_while_waiting(call, "refuse 93", 93); }
