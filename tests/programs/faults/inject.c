/* SPDX-License-Identifier: MIT */
/* inject SCENARIO APP [once]: every fault of a CONNECT or a BIND. "once" runs the scenario as it is, for a server that
   misbehaves. */
#include "faults/inject_connect.h"

static void run_blocking(void) { connect_with(NULL); }
static void run_poll(void) { connect_with(wait_poll); }
static void run_select(void) { connect_with(wait_select); }
static void run_epoll(void) { connect_with(wait_epoll); }
static void run_read(void) { connect_with(wait_read); }

/* --- BIND --- */

/* A call that may fail, and must not fail a second time. */
static void twice(const char *what, int result, int *again) {
  *again = result < 0;
  if (*again)
    expect_told(what, errno);
}

static int listening(const char **name) {
  static char text[80];
  struct sockaddr_in any = {.sin_family = AF_INET}, local;
  socklen_t length = sizeof local;
  const int fd = tcp_socket(AF_INET);
  int again;
  arm();
  twice("bind", bind(fd, (struct sockaddr *)&any, sizeof any), &again);
  disarm();
  if (again && bind(fd, (struct sockaddr *)&any, sizeof any) != 0)
    wrong("bind once more: %s", strerrorname_np(errno));
  arm();
  twice("getsockname", getsockname(fd, (struct sockaddr *)&local, &length), &again);
  twice("listen", listen(fd, 1), &again);
  disarm();
  if (expects_failure())
    return close(fd), -1;
  if (again && listen(fd, 1) != 0)
    wrong("listen once more: %s", strerrorname_np(errno));
  snprintf(text, sizeof text, "%s", local_address(fd));
  *name = text;
  return fd;
}

static int has_call(int fd) {
  struct pollfd waiting = {.fd = fd, .events = POLLIN};
  return poll(&waiting, 1, 0) == 1;
}

/* The call, whether it is taken at the first try or at a later one; -1: the program has been told that it is gone. */
static int accepted(int fd, wait_call *wait) {
  for (int i = 0; i < 20; ++i) {
    arm();
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (wait && poll(&waiting, 1, 30000) == 0)
      wrong("poll: no call");
    const int call = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    const int error = errno;
    disarm();
    if (call >= 0)
      return call;
    if (error == ECONNABORTED) /* as if the caller had gone */
      return -1;
    if (!(wait && error == EAGAIN))
      expect_told("accept", error);
    if (i >= 1)
      injection->call = calls; /* it has had its chance */
  }
  wrong("accept: no call");
}

/* After these the connection is over, or nobody can tell what has become of the reply. */
static int may_abort_call(void) {
  if (expects("call"))
    return 1;
  const int error = injection->injected ? injection->error : 0;
  const int is_over = error == END || error == ECONNRESET || error == ETIMEDOUT || error == EHOSTUNREACH;
  return is_over || (injection->nth == 3 && (error == SHORT || error == EAGAIN));
}

static void bind_with(wait_call *wait) {
  const int before = count_fds(), primary = tcp_socket(AF_INET);
  const char *name;
  expect_ok("primary", result(connect_to(primary, app, AF_INET)));
  expect_ok("primary", converse(primary));
  const int fd = listening(&name);
  if (fd >= 0) {
    const int second = dup(fd);
    set_blocking(fd, !wait);
    send_line(primary, "call %s hello", name);
    expect_ok("order", strcmp(read_line(primary), "calling") == 0 ? "ok" : "no");
    const int call = accepted(fd, wait);
    if (call < 0 && !may_abort_call())
      wrong("accept: ECONNABORTED");
    usleep(1000); /* so that the first words are there */
    if (has_call(fd) || has_call(second))
      wrong("the listening socket is not silent");
    if (call >= 0) {
      const char *got = read_line(call);
      if (strcmp(got, "hello") != 0)
        wrong("call: %s", got);
      send_line(call, "abc");
      got = read_line(call);
      if (strcmp(got, "ABC") != 0)
        wrong("answer: %s", got);
      close(call);
    }
    close(second);
    close(fd);
  }
  expect_ok("primary afterwards", ask_for_echo(primary));
  close(primary);
  if (count_fds() != before)
    wrong("descriptors: %d, were %d", count_fds(), before);
}

static void run_bind(void) { bind_with(NULL); }
static void run_bind_poll(void) { bind_with(wait_poll); }

static const struct named_scenario scenarios[] = {
    {"blocking", run_blocking}, {"poll", run_poll}, {"select", run_select}, {"epoll", run_epoll},
    {"read", run_read},         {"bind", run_bind}, {"bind-poll", run_bind_poll}};

int main(int argc, char **argv) {
  app = argv[2];
  return inject_by_name(scenarios, sizeof scenarios / sizeof *scenarios, argv[1], argc > 3);
}
