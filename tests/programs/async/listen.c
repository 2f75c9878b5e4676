/* SPDX-License-Identifier: MIT */
/* async_listen WAY.WHEN, async_listen CASE: a socket that waits for a call, as each way of waiting shows it. */
#include "slow.h"

static struct server server;
static int fd, set;
static unsigned flags;
static const uint64_t word = 0xfedcba9876543210;

static int add(int to, int what, unsigned wanted, uint64_t data) {
  struct epoll_event event = {.events = wanted, .data.u64 = data};
  return epoll_ctl(to, EPOLL_CTL_ADD, what, &event);
}
static const char *reported(int from, int milliseconds) {
  static char texts[4][120];
  static int turn;
  struct epoll_event event[4];
  char *out = texts[turn++ % 4];
  int count = epoll_wait(from, event, 4, milliseconds);
  if (count <= 0)
    return count ? strerrorname_np(errno) : "nothing";
  snprintf(out, 120, "%d: %s%s", count, events(event[0].events), event[0].data.u64 == word ? "" : " of another");
  return out;
}

static const char *by_poll(int milliseconds) { return polled(fd, POLLIN, milliseconds); }
static const char *by_select(int milliseconds) {
  fd_set in, pri;
  struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
  FD_ZERO(&in);
  FD_ZERO(&pri);
  FD_SET(fd, &in);
  FD_SET(fd, &pri);
  int ready = select(fd + 1, &in, NULL, &pri, milliseconds < 0 ? NULL : &limit);
  return ready < 0 ? strerrorname_np(errno) : FD_ISSET(fd, &pri) ? "exceptional" : FD_ISSET(fd, &in) ? "readable" : "nothing";
}
static const char *by_epoll(int milliseconds) { return reported(set, milliseconds); }

static const struct {
  const char *name;
  const char *(*look)(int milliseconds);
  unsigned flags;
} ways[] = {
    {"poll", by_poll, 0},           {"select", by_select, 0},
    {"epoll", by_epoll, 0},         {"epoll-edge", by_epoll, EPOLLET},
    {"epoll-oneshot", by_epoll, EPOLLONESHOT}, {"epoll-exclusive", by_epoll, EPOLLEXCLUSIVE},
};
static const char *const times[] = {"before-bind", "after-bind", "after-listen"};

/* A connection to the server, which may then call. */
static int primary(void) {
  server = slow_server();
  tell(&server, "grant");
  int one = tcp_socket(AF_INET);
  if (reach(one, &server) != 0)
    die("primary");
  return one;
}

/* To the port that the socket has without the shim; with it the server knows where to call. */
static const char *call(const char *words) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  getsockname(fd, (struct sockaddr *)&name, &length);
  return tell(&server, "call 127.0.0.1:%d %s", ntohs(name.sin_port), words);
}
static void begin(void) {
  fact("bind: %s", result(bind_to(fd, "0.0.0.0:0", AF_INET)));
  fact("listen: %s", result(listen(fd, 8)));
  tell(&server, "await-call");
}
static int listening(void) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  begin();
  return fd;
}

static void converse(int accepted) {
  blocking(accepted);
  fact("call: %s", line(accepted));
  fact("answer: %s", echoes(accepted));
}

static void wait_for_call(int way, int when) {
  const char *(*look)(int) = ways[way].look;
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  flags = EPOLLIN | ways[way].flags;
  /* The one shot would be the hang-up that a fresh socket shows: there it is not looked at. */
  int looks = when == 2 || (look == by_epoll && !(flags & EPOLLONESHOT));
  for (int step = 0; step < 3; ++step) {
    if (step == 1)
      fact("bind: %s", result(bind_to(fd, "0.0.0.0:0", AF_INET)));
    if (step == 2)
      fact("listen: %s", result(listen(fd, 8)));
    if (step == when)
      fact("entered: %s", result(add(set, fd, flags, word)));
    if (step >= when && looks)
      fact("%s: %s", times[step], look(0));
  }
  tell(&server, "await-call");
  fact("soon: %s", look(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  for (int bytes = 1; bytes < 8; ++bytes) {
    tell(&server, "call-drip %d", bytes);
    fact("with %d bytes: %s", bytes, look(bytes == 7 ? 10 : 0));
    fact("accept: %s", result(accept(fd, NULL, NULL)));
  }
  call("hello");
  fact("called: %s", look(-1));
  fact("again: %s", look(0));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s", look(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  converse(accepted);
  tell(&server, "say more");
  fact("with more of the call: %s", look(10));
  fact("another in the set: %s", result(add(set, accepted, EPOLLIN, 1)));
  fact("its event: %s", reported(set, -1));
  fact("more: %s", line(accepted));
  fact("after: %s", look(0));
  fd = dup(fd);
  fact("a dup: %s", look(0));
  if (look == by_epoll)
    fact("entered: %s", result(add(set, fd, EPOLLIN, word)));
  tell(&server, "say still more");
  fact("a dup, with more of the call: %s", by_poll(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("of the set: %s", reported(set, -1));
}

/* Another thread waits for it already. */
static volatile pid_t thread;
static volatile int is_called;
static const char *(*look_of_thread)(int milliseconds);
static void *waits(void *argument) {
  thread = gettid();
  const char *seen = look_of_thread(-1);
  fact("%s: %s", is_called ? "called" : "too early", seen);
  return argument;
}
static void *accepts(void *argument) {
  thread = gettid();
  int accepted = accept(fd, NULL, NULL);
  fact("%s: %s", is_called ? "called" : "too early", result(accepted));
  if (accepted >= 0)
    converse(accepted);
  return argument;
}
static void with_thread(void *(*run)(void *)) {
  pthread_t handle;
  pthread_create(&handle, NULL, run, NULL);
  while (!thread)
    usleep(1000);
  await_sleep(thread);
  tell(&server, "call-drip 3");
  tell(&server, "call-drip 7");
  await_sleep(thread);
  is_called = 1;
  call("hello");
  pthread_join(handle, NULL);
}
static void thread_by(const char *(*look)(int), unsigned wanted, int is_early) {
  look_of_thread = look;
  listening();
  if (is_early)
    add(set, fd, wanted, word);
  with_thread(waits);
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s", look(10));
  converse(accepted);
}
static void thread_poll(void) { thread_by(by_poll, 0, 0); }
static void thread_select(void) { thread_by(by_select, 0, 0); }
static void thread_epoll(void) { thread_by(by_epoll, EPOLLIN, 1); }
static void thread_edge(void) { thread_by(by_epoll, EPOLLIN | EPOLLET, 1); }
static void thread_accept(void) {
  listening();
  blocking(fd);
  with_thread(accepts);
  nonblocking(fd);
  fact("after: %s", by_poll(10));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
}

/* In more than one set, and in one that is in another. */
static void several(void) {
  int other = epoll_create1(0), outer = epoll_create1(0);
  listening();
  add(set, fd, EPOLLIN, word);
  add(other, fd, EPOLLIN | EPOLLET, word);
  add(outer, other, EPOLLIN, word);
  fact("before: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  call("hello");
  fact("called: %s", reported(outer, -1));
  fact("called: %s", reported(set, -1));
  fact("called: %s", reported(other, -1));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("after: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  converse(accepted);
  fact("after: %s, %s, %s", reported(set, 10), reported(other, 0), reported(outer, 0));
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 3};
  fact("changed: %s", result(epoll_ctl(other, EPOLL_CTL_MOD, fd, &event)));
  fact("added: %s", result(add(other, fd, EPOLLIN, word)));
  fact("deleted: %s", result(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL)));
  fact("deleted: %s", result(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL)));
  fact("deleted: %s", result(epoll_ctl(other, EPOLL_CTL_DEL, fd, NULL)));
  close(fd);
  tell(&server, "say more");
  fact("call: %s", line(accepted));
}

/* Whatever else is asked for: a listening socket is never writable, and has nobody that could hang up. */
static const char *to_write(int milliseconds) {
  fd_set out;
  struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return select(fd + 1, NULL, &out, NULL, &limit) ? "writable" : "nothing";
}
static void look_at_everything(int other, int milliseconds) {
  int all = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLWRNORM | POLLRDNORM;
  fact("poll: %s, epoll: %s", polled(fd, all, milliseconds), reported(set, milliseconds));
  fact("select: %s, poll: %s, edges: %s", to_write(0), polled(fd, POLLOUT | POLLRDHUP, 0), reported(other, 0));
}
static void everything(void) {
  primary();
  fd = nonblocking_socket();
  set = epoll_create1(0);
  int other = epoll_create1(0);
  add(set, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, word);
  begin();
  add(other, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, word);
  look_at_everything(other, 10);
  call("hello");
  look_at_everything(other, -1);
  int accepted = accept(fd, NULL, NULL);
  look_at_everything(other, 10);
  fact("modified: %s", result(epoll_ctl(set, EPOLL_CTL_MOD, fd, &(struct epoll_event){.events = EPOLLOUT, .data.u64 = word})));
  look_at_everything(other, 10);
  converse(accepted);
}

/* A dup from before the call is the same socket. */
static void earlier_dup(void) {
  listening();
  int copy = dup(fd);
  add(set, copy, EPOLLIN, word);
  fact("before: %s, %s", polled(copy, POLLIN, 10), reported(set, 0));
  call("hello");
  fact("called: %s, %s", polled(copy, POLLIN, -1), reported(set, -1));
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("accept, the dup: %s", result(accept(copy, NULL, NULL)));
  converse(accepted);
  tell(&server, "say more");
  fact("after: %s, %s", polled(copy, POLLIN, 10), reported(set, 0));
  fact("call: %s", line(accepted));
  close(copy);
  fact("answer: %s", echoes(accepted));
}

/* A child takes the call. */
static void child_accepts(void) {
  int status;
  listening();
  add(set, fd, EPOLLIN, word);
  call("hello");
  fact("called: %s, %s", polled(fd, POLLIN, -1), reported(set, -1));
  if (fork() == 0) {
    int accepted = accept(fd, NULL, NULL);
    converse(accepted);
    tell(&server, "say more");
    exit(polled(accepted, POLLIN, -1)[0] == 'I' ? 0 : 1);
  }
  wait(&status);
  fact("child: %d", status);
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("after: %s, %s", polled(fd, POLLIN, 10), reported(set, 0));
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"thread-poll", thread_poll},   {"thread-select", thread_select}, {"thread-epoll", thread_epoll},
      {"thread-edge", thread_edge},   {"thread-accept", thread_accept}, {"several", several},
      {"everything", everything},     {"earlier-dup", earlier_dup},     {"child-accepts", child_accepts},
  };
  const char *wanted = argc > 1 ? argv[1] : "list";
  for (int way = 0; way < (int)(sizeof ways / sizeof *ways); ++way)
    for (int when = ways[way].look == by_epoll ? 0 : 2; when < 3; ++when) {
      char name[64];
      snprintf(name, sizeof name, "%s.%s", ways[way].name, times[when]);
      if (strcmp(wanted, "list") == 0)
        puts(name);
      if (strcmp(wanted, name) == 0)
        return wait_for_call(way, when), 0;
    }
  return RUN_TESTS(tests, argc, argv);
}
