/* SPDX-License-Identifier: MIT */
/* Every fault of a BIND, for a call from $DESTINATION. */
#include "faults/connect.h"

/* True if a call failed: it may, and must succeed the second time. */
static int must_repeat(const char* what, int returned) {
  if (returned < 0)
    require_explanation(what, errno);
  return returned < 0;
}

static void bind_twice_if_needed(int fd) {
  struct sockaddr_in any = {.sin_family = AF_INET};
  arm();
  const int again = must_repeat("bind", bind(fd, (struct sockaddr*)&any, sizeof any));
  disarm();
  if (again && bind(fd, (struct sockaddr*)&any, sizeof any) != 0)
    fail("bind once more: %s", strerrorname_np(errno));
}

/* -1: the server refuses the BIND, as it should in this run. */
static int listening(char* name, size_t size) {
  struct sockaddr_in local;
  socklen_t length = sizeof local;
  const int fd = tcp_socket(AF_INET);
  bind_twice_if_needed(fd);
  arm();
  must_repeat("getsockname", getsockname(fd, (struct sockaddr*)&local, &length));
  const int again = must_repeat("listen", listen(fd, 1));
  disarm();
  if (expects_failure())
    return close(fd), -1;
  if (again && listen(fd, 1) != 0)
    fail("listen once more: %s", strerrorname_np(errno));
  snprintf(name, size, "%s", local_address(fd));
  return fd;
}

static int has_call(int fd, int milliseconds) {
  struct pollfd waiting = {.fd = fd, .events = POLLIN};
  return poll(&waiting, 1, milliseconds);
}

static int accept_armed(int fd, wait_call* wait) {
  arm();
  if (wait && has_call(fd, 30000) == 0)
    fail("poll: no call");
  const int call = accept4(fd, NULL, NULL, SOCK_CLOEXEC), error = errno;
  disarm();
  errno = error;
  return call;
}

/* The call, at the first attempt or a later one. -1: ECONNABORTED, as if the caller had gone. */
static int accepted(int fd, wait_call* wait) {
  for (int i = 0; i < 20; ++i) {
    const int call = accept_armed(fd, wait);
    if (call >= 0)
      return call;
    if (errno == ECONNABORTED)
      return -1;
    if (!(wait && errno == EAGAIN))
      require_explanation("accept", errno);
    if (i >= 1)
      injection->call = calls; /* no more faults */
  }
  fail("accept: no call");
}

/* After these errors the connection is lost, or nobody knows how much of the reply has been read. */
static int may_abort_call(void) {
  if (expects("call"))
    return 1;
  const int error = injected_error();
  const int is_lost = error == END || error == ECONNRESET || error == ETIMEDOUT || error == EHOSTUNREACH;
  return is_lost || (injection->nth == 3 && (error == SHORT || error == EAGAIN));
}

static void check_call(int call) {
  require_text("call", read_line(call), "hello");
  send_line(call, "abc");
  require_text("answer", read_line(call), "ABC");
  close(call);
}

static void get_call(int primary, int fd, const char* name, wait_call* wait) {
  const int second = dup(fd);
  set_blocking(fd, !wait);
  send_line(primary, "call %s hello", name);
  require_text("order", read_line(primary), "calling");
  const int call = accepted(fd, wait);
  if (call < 0 && !may_abort_call())
    fail("accept: ECONNABORTED");
  usleep(1000); /* the data of the call arrives, and must not make the listening socket readable */
  if (has_call(fd, 0) == 1 || has_call(second, 0) == 1)
    fail("the listening socket is readable");
  if (call >= 0)
    check_call(call);
  close(second);
  close(fd);
}

static void bind_with(wait_call* wait) {
  char name[80];
  app = getenv("DESTINATION");
  const int before = count_fds(), primary = tcp_socket(AF_INET);
  require_ok("primary", result(connect_to(primary, app, AF_INET)));
  require_ok("primary", converse(primary));
  const int fd = listening(name, sizeof name);
  if (fd >= 0)
    get_call(primary, fd, name, wait);
  require_ok("primary afterwards", ask_for_echo(primary));
  close(primary);
  require_no_more_fds(before);
}

SCENARIO(bind) { bind_with(NULL); }

SCENARIO(bind_poll) { bind_with(wait_poll); }
