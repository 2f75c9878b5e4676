/* SPDX-License-Identifier: MIT */
/* inject SCENARIO APP [once]: lets every call that the library makes in a scenario fail in turn, with every errno, by means
   of tests/preload/inject.c. A child for each: whatever has happened, errno is one that tells it, the socket is as it was or
   as it ought to be, the same socket works at the next try, no byte is lost or one too many, no descriptor is left, and no
   call waits for ever. "once" runs the scenario as it is, for a server that misbehaves. */
#include "facts.h"
#include "inject.h"
#include <sys/epoll.h>
#include <sys/select.h>

static struct injection *injection;
static const char *app;
static const int patience = 8; /* seconds for a child */

/* What the server does to the reply, in a run without other faults: $EXPECT is "dead" (the end of the stream or a reset),
   "silence", or "call" (either, in place of the second reply). */
static int expects(const char *what) { return getenv("EXPECT") && strcmp(getenv("EXPECT"), what) == 0; }
static int expects_failure(void) { return expects("dead") || expects("silence"); }

static void arm(void) { injection->armed = 1; }
static void disarm(void) { injection->armed = 0; }

__attribute__((format(printf, 1, 2), noreturn)) static void wrong(const char *format, ...) {
  va_list arguments;
  disarm();
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
  _exit(1);
}

static void expect_ok(const char *what, const char *got) {
  if (strcmp(got, "ok") != 0)
    wrong("%s: %s", what, got);
}

/* What a program can hear of the fault: itself, or what the library says instead. */
static void expect_told(const char *what, int error) {
  const int injected = injection->injected ? injection->error : 0;
  const int is_dead = injected == END || injected == EPIPE || expects("dead");
  const int is_shortage = injection->call == call_mmap || injection->call == call_getsockopt || injection->call == call_malloc;
  if (error == injected || (is_dead && error == ECONNRESET) || (is_shortage && (error == ENOBUFS || error == ENOMEM)) ||
      (expects("silence") && error == ETIMEDOUT) || (injected == SHORT && error == EINTR) ||
      (injection->call == call_getsockopt && error == EACCES))
    return;
  /* What read() on a socket that never became connected says is the kernel's own. */
  if (strcmp(what, "read") == 0 && error == ECONNREFUSED)
    return;
  wrong("%s: %s", what, error ? strerrorname_np(error) : "0");
}

/* --- CONNECT --- */

struct options { int flags, low_water, send_timeout; };

static struct options options_of(int fd) {
  struct timeval limit = {0};
  socklen_t length = sizeof limit;
  getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length);
  return (struct options){fcntl(fd, F_GETFL), option(fd, SO_RCVLOWAT), limit.tv_sec * 1000 + limit.tv_usec / 1000};
}

static void expect_options(int fd, struct options before, const char *when) {
  const struct options now = options_of(fd);
  if (memcmp(&before, &now, sizeof now) != 0)
    wrong("%s: flags %x were %x, SO_RCVLOWAT %d was %d, SO_SNDTIMEO %d was %d", when, now.flags, before.flags, now.low_water,
          before.low_water, now.send_timeout, before.send_timeout);
}

static void set_blocking(int fd, int yes) {
  const int armed = injection->armed, error = errno;
  disarm();
  fcntl(fd, F_SETFL, yes ? fcntl(fd, F_GETFL) & ~O_NONBLOCK : fcntl(fd, F_GETFL) | O_NONBLOCK);
  injection->armed = armed;
  errno = error;
}

/* The connection is the one that was asked for, from its first byte on. */
static void expect_connected(int fd) {
  const char *peer = ask(getpeername, fd);
  if (strcmp(peer, app) != 0)
    wrong("peer: %s", peer);
  set_blocking(fd, 1);
  expect_ok("conversation", talk(fd));
}

/* Each gives 0 or the error by which a program hears how its connect() has ended; -1: the wait itself was interrupted. */
typedef int wait_call(int fd);

static int wait_poll(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLOUT};
  const int count = poll(&one, 1, 5000);
  if (count == 0)
    wrong("poll: nothing");
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

static int wait_select(int fd) {
  fd_set set;
  struct timeval limit = {.tv_sec = 5};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  const int count = select(fd + 1, NULL, &set, NULL, &limit);
  if (count == 0)
    wrong("select: nothing");
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

static int wait_epoll(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.fd = fd};
  const int added = set < 0 ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  const int count = added == 0 ? epoll_wait(set, &event, 1, 5000) : -1;
  const int error = errno;
  if (set >= 0)
    close(set);
  if (count == 0)
    wrong("epoll_wait: nothing");
  if (count > 0 && event.data.fd != fd)
    wrong("epoll_wait: data %d", event.data.fd);
  errno = error;
  return count < 0 ? -1 : option(fd, SO_ERROR);
}

/* The first byte of what the server says is data; there is none before it. */
static int wait_read(int fd) {
  char byte;
  set_blocking(fd, 1);
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
  set_blocking(fd, 0);
  if (got > 0 && byte != 'a')
    wrong("recv: byte %d", byte);
  if (got > 0)
    return 0;
  const int error = got == 0 ? ECONNRESET : errno;
  /* What failed is the program's own recv(), or the wait in it: the CONNECT goes on, and may stand by now or not. */
  const int has_failed_to_wait = injection->injected && injection->call == call_poll && error == injection->error;
  const int is_own = has_failed_to_wait || strcmp(ask(getpeername, fd), app) == 0;
  errno = error;
  return is_own || errno == EINTR || errno == EAGAIN ? -1 : errno;
}

static int wait_till_told(int fd, wait_call *wait) {
  int result = -1;
  for (int i = 0; i < 20 && result < 0; ++i) {
    result = wait(fd);
    if (result < 0)
      expect_told("wait", errno);
    if (i == 10)
      disarm();
  }
  return result;
}

static void connect_with(wait_call *wait) {
  const int before = open_fds(), fd = tcp_socket(AF_INET);
  set_blocking(fd, !wait);
  const struct options options = options_of(fd);
  errno = UNTOUCHED;
  arm();
  int error = connect_to(fd, app, AF_INET) == 0 ? 0 : errno;
  if (error == 0 && errno != UNTOUCHED)
    wrong("success, but errno: %s", strerrorname_np(errno));
  if (error == EINTR || error == EINPROGRESS)
    error = wait_till_told(fd, wait ? wait : wait_poll);
  disarm();
  expect_options(fd, options, "after connect");
  if (!error && expects_failure())
    wrong("connect: ok");
  if (error) {
    expect_told(wait == wait_read ? "read" : "connect", error);
    if (strcmp(ask(getpeername, fd), "ENOTCONN") != 0)
      wrong("peer after failure: %s", ask(getpeername, fd));
    const char *once_more = so_error(fd);
    if (strcmp(once_more, "0") != 0 && wait != wait_read)
      wrong("SO_ERROR once more: %s", once_more);
    set_blocking(fd, 1);
    if (!expects_failure()) {
      /* The kernel, too, tells a program that has asked for SO_ERROR once more that it is over. */
      const int again = connect_to(fd, app, AF_INET), is_repeated = again < 0 && wait && errno == ECONNABORTED;
      expect_ok("connect once more", result(is_repeated ? connect_to(fd, app, AF_INET) : again));
    }
    set_blocking(fd, !wait);
    expect_options(fd, options, "after the second connect");
  }
  if (!error || (!expects_failure()))
    expect_connected(fd);
  close(fd);
  if (open_fds() != before)
    wrong("descriptors: %d, were %d", open_fds(), before);
}

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
  snprintf(text, sizeof text, "%s", ask(getsockname, fd));
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
    if (wait && poll(&waiting, 1, 5000) == 0)
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
  const int before = open_fds(), primary = tcp_socket(AF_INET);
  const char *name;
  expect_ok("primary", result(connect_to(primary, app, AF_INET)));
  expect_ok("primary", talk(primary));
  const int fd = listening(&name);
  if (fd >= 0) {
    const int second = dup(fd);
    set_blocking(fd, !wait);
    say(primary, "call %s hello", name);
    expect_ok("order", strcmp(line(primary), "calling") == 0 ? "ok" : "no");
    const int call = accepted(fd, wait);
    if (call < 0 && !may_abort_call())
      wrong("accept: ECONNABORTED");
    usleep(1000); /* so that the first words are there */
    if (has_call(fd) || has_call(second))
      wrong("the listening socket is not silent");
    if (call >= 0) {
      const char *got = line(call);
      if (strcmp(got, "hello") != 0)
        wrong("call: %s", got);
      say(call, "abc");
      got = line(call);
      if (strcmp(got, "ABC") != 0)
        wrong("answer: %s", got);
      close(call);
    }
    close(second);
    close(fd);
  }
  expect_ok("primary afterwards", echo(primary));
  close(primary);
  if (open_fds() != before)
    wrong("descriptors: %d, were %d", open_fds(), before);
}

static void run_bind(void) { bind_with(NULL); }
static void run_bind_poll(void) { bind_with(wait_poll); }

/* --- all faults of a scenario --- */

typedef void scenario(void);
static const struct { const char *name; scenario *run; } scenarios[] = {
    {"blocking", run_blocking}, {"poll", run_poll}, {"select", run_select}, {"epoll", run_epoll},
    {"read", run_read},         {"bind", run_bind}, {"bind-poll", run_bind_poll}};

static int in_child(scenario *run) {
  int status = 0;
  fflush(stdout);
  if (fork() == 0) {
    alarm(patience);
    run();
    _exit(0);
  }
  wait(&status);
  disarm();
  return status;
}

static int injected, failed;

static void inject(const char *name, scenario *run, enum call call, int nth, int error, int lasts) {
  memset((void *)injection, 0, sizeof *injection);
  injection->call = call;
  injection->nth = nth;
  injection->error = error;
  injection->lasts = lasts;
  const int status = in_child(run);
  injected += injection->injected > 0;
  if (status == 0)
    return;
  ++failed;
  fact("  ^ %s: %s number %d%s: %s%s", name, injectables[call].name, nth, lasts ? " and later" : "",
       error == SHORT ? "one byte" : error == END ? "end of stream" : strerrorname_np(error),
       WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM ? ": HANGS" : ": CRASHES" : "");
}

/* An option of a socket that is right can be asked for and set, unless a filter of system calls forbids it: then from the
   first time on. */
static int is_possible(enum call call, int nth, int lasts) {
  return (call != call_getsockopt && call != call_setsockopt) || (nth == 1 && lasts);
}

static void inject_all(const char *name, scenario *run) {
  int made[calls];
  memset((void *)injection, 0, sizeof *injection);
  injection->call = calls;
  if (in_child(run) != 0)
    fact("%s fails without any fault", name), exit(1);
  memcpy(made, (void *)injection->made, sizeof made);
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; ++nth)
      for (const int *error = injectables[call].errors; *error; ++error) {
        if (is_possible(call, nth, 0))
          inject(name, run, call, nth, *error, 0);
        if (may_last(*error) && is_possible(call, nth, 1))
          inject(name, run, call, nth, *error, 1);
      }
}

int main(int argc, char **argv) {
  injection = map_injection();
  app = argv[2];
  if (!injection)
    fact("INJECT is no file: %s", strerrorname_np(errno)), exit(2);
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; ++i)
    if (strcmp(argv[1], scenarios[i].name) == 0) {
      if (argc > 3)
        alarm(patience), scenarios[i].run(), exit(0);
      inject_all(argv[1], scenarios[i].run);
    }
  fact("%s: %d faults injected, %d not survived", argv[1], injected, failed);
  return failed || !injected;
}
