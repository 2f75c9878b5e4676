/* SPDX-License-Identifier: MIT */
/* Every way to wait for a call, while the second reply of the SOCKS server arrives byte by byte. */
#include "async/listen/listen.h"

typedef const char* look_call(int milliseconds);

struct way {
  const char* name;
  look_call* look;
  unsigned flags;
};

#define EPOLL_WAYS                                                                                                     \
  {"epoll", by_epoll, 0}, {"epoll_edge", by_epoll, EPOLLET}, {"epoll_oneshot", by_epoll, EPOLLONESHOT},                \
      {"epoll_exclusive", by_epoll, EPOLLEXCLUSIVE},
static const struct way epoll_ways[] = {EPOLL_WAYS};
static const struct way ways[] = {{"poll", by_poll, 0}, {"select", by_select, 0}, EPOLL_WAYS};

/* When the socket is registered. */
enum time { BEFORE_BIND, AFTER_BIND, AFTER_LISTEN };
static const char* const times[] = {"before bind", "after bind", "after listen"};

/* A fresh socket reports a hang-up, which would spend a one-shot registration: there it is not looked at. */
static int may_look(const struct way* way, enum time registered) {
  return registered == AFTER_LISTEN || (way->look == by_epoll && !(way->flags & EPOLLONESHOT));
}

static void listen_step_by_step(const struct way* way, enum time registered) {
  for (enum time now = BEFORE_BIND; now <= AFTER_LISTEN; ++now) {
    if (now == AFTER_BIND)
      fact("bind: %s", result(bind_to(fd, "0.0.0.0:0", AF_INET)));
    if (now == AFTER_LISTEN)
      fact("listen: %s", result(listen(fd, 8)));
    if (now == registered)
      fact("registered: %s", result(add(set, fd, EPOLLIN | way->flags, word)));
    if (now >= registered && may_look(way, registered))
      fact("%s: %s", times[now], way->look(0));
  }
}

static void look_during_reply(look_call* look) {
  tell(&server, "await-call");
  fact("soon: %s", look(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  for (int bytes = 1; bytes < 8; ++bytes) {
    tell(&server, "call-drip %d", bytes);
    fact("with %d bytes: %s", bytes, look(bytes == 7 ? 10 : 0));
    fact("accept: %s", result(accept(fd, NULL, NULL)));
  }
}

static int accept_call(look_call* look) {
  call("hello");
  fact("called: %s", look(-1));
  fact("again: %s", look(0));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s", look(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  check_call(accepted);
  return accepted;
}

/* Data of the accepted connection is no event of the listening socket. */
static void check_silence(look_call* look, int accepted) {
  tell(&server, "say more");
  fact("with more of the call: %s", look(10));
  fact("the accepted socket in the set: %s", result(add(set, accepted, EPOLLIN, 1)));
  fact("its event: %s", reported(set, -1));
  fact("more: %s", read_line(accepted));
  fact("after: %s", look(0));
  fd = dup(fd);
  fact("a dup: %s", look(0));
  if (look == by_epoll)
    fact("registered: %s", result(add(set, fd, EPOLLIN, word)));
  tell(&server, "say still more");
  fact("a dup, with more of the call: %s", by_poll(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("the set: %s", reported(set, -1));
}

static void wait_for_call(const struct way* way, enum time registered) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  listen_step_by_step(way, registered);
  look_during_reply(way->look);
  check_silence(way->look, accept_call(way->look));
}

TEST_EACH(before_bind, way, epoll_ways) { wait_for_call(way, BEFORE_BIND); }

TEST_EACH(after_bind, way, epoll_ways) { wait_for_call(way, AFTER_BIND); }

TEST_EACH(after_listen, way, ways) { wait_for_call(way, AFTER_LISTEN); }
