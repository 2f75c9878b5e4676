/* SPDX-License-Identifier: MIT */
/* async_time CASE: time limits, signals and what waiting costs while a connection is on its way. */
#include "slow.h"
#include <sys/resource.h>
#include <sys/time.h>

static struct server server;
static int fd, set;

/* Every way to wait for the socket: how many are ready, or the name of the errno. The mask is for those that take one. */
static const sigset_t *mask;
static int by_poll(int milliseconds) { return poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, milliseconds); }
static struct timespec *in(int milliseconds) {
  static __thread struct timespec time;
  time = (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return milliseconds < 0 ? NULL : &time;
}
static int by_ppoll(int milliseconds) {
  return ppoll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, in(milliseconds), mask);
}
static int by_select(int milliseconds) {
  struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  int ready = select(fd + 1, NULL, &out, NULL, milliseconds < 0 ? NULL : &time);
  if (ready == 0 && (time.tv_sec || time.tv_usec || FD_ISSET(fd, &out)))
    fact("select: %ld.%06ld s left, %d", (long)time.tv_sec, (long)time.tv_usec, FD_ISSET(fd, &out));
  return ready;
}
static int by_pselect(int milliseconds) {
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return pselect(fd + 1, NULL, &out, NULL, in(milliseconds), mask);
}
static struct epoll_event event;
static int by_epoll(int milliseconds) { return epoll_wait(set, &event, 1, milliseconds); }
static int by_epoll_pwait(int milliseconds) { return epoll_pwait(set, &event, 1, milliseconds, mask); }
static int by_epoll_pwait2(int milliseconds) { return epoll_pwait2(set, &event, 1, in(milliseconds), mask); }
static const struct {
  const char *name;
  int (*wait)(int milliseconds);
  int has_mask;
} ways[] = {
    {"poll", by_poll, 0},           {"ppoll", by_ppoll, 1},   {"select", by_select, 0},
    {"pselect", by_pselect, 1},     {"epoll", by_epoll, 0},   {"epoll-pwait", by_epoll_pwait, 1},
    {"epoll-pwait2", by_epoll_pwait2, 1},
};
static const char *said(int ready) { return ready < 0 ? strerrorname_np(errno) : ready ? "ready" : "nothing"; }

static void begin(void) {
  server = slow_server();
  fd = pending_socket(&server);
  set = epoll_create1(0);
  event = (struct epoll_event){.events = EPOLLOUT};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  tell(&server, "await 1");
}

static int (*wait_for)(int milliseconds);

/* A limit that passes while the reply is held, dripped, and there. */
static void limits(void) {
  begin();
  for (int i = 0; i < 3; ++i)
    fact("held: %s", said(wait_for(10)));
  fact("at once: %s", said(wait_for(0)));
  for (int bytes = 1; bytes < 8; ++bytes) {
    tell(&server, "drip %d", bytes);
    fact("with %d bytes: %s", bytes, said(wait_for(bytes % 3)));
  }
  tell(&server, "grant");
  fact("granted: %s", said(wait_for(30000)));
  connected(fd, &server);
}
/* No limit is shorter than it says. */
static void no_shorter(void) {
  struct timespec before, after;
  begin();
  for (int limit = 1; limit < 40; limit += 7) {
    clock_gettime(CLOCK_MONOTONIC, &before);
    int ready = wait_for(limit);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double passed = (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6;
    fact("%s%s", said(ready), passed < limit ? ", too early" : "");
  }
}

/* Signals. */
static volatile int caught;
static void on_signal(int signal) { (void)signal, ++caught; }
static void catch(int flags) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(SIGUSR1, &action, NULL);
}
static void block(int how) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(how, &one, NULL);
}
/* One that is blocked outside, and let in by the mask. */
static void let_in(void) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  begin();
  catch(SA_RESTART);
  block(SIG_BLOCK);
  raise(SIGUSR1);
  fact("no mask: %s, caught %d", said(wait_for(10)), caught);
  mask = &all;
  fact("all blocked: %s, caught %d", said(wait_for(10)), caught);
  mask = &none;
  fact("let in: %s, caught %d", said(wait_for(-1)), caught);
  raise(SIGUSR1);
  fact("again: %s, caught %d", said(wait_for(0)), caught);
  fact("none left: %s, caught %d", said(wait_for(10)), caught);
  raise(SIGUSR1);
  fact("blocked as before: caught %d", caught);
  tell(&server, "grant");
  mask = NULL;
  fact("granted: %s, caught %d", said(wait_for(-1)), caught);
  connected(fd, &server);
}

/* Another thread sends a signal when this one sleeps, and then grants what it waits for. */
static pthread_t waiting;
static pid_t waiting_id;
static void *sends(void *argument) {
  int times = (intptr_t)argument;
  block(SIG_BLOCK);
  for (int i = 0; i < times; ++i) {
    await_sleep(waiting_id);
    pthread_kill(waiting, SIGUSR1);
    while (caught <= i)
      usleep(1000);
  }
  await_sleep(waiting_id);
  tell(&server, "grant");
  return NULL;
}
static pthread_t sender(int times) {
  pthread_t handle;
  waiting = pthread_self();
  waiting_id = gettid();
  pthread_create(&handle, NULL, sends, (void *)(intptr_t)times);
  return handle;
}
static void interrupted(int flags) {
  begin();
  catch(flags);
  pthread_t handle = sender(3);
  for (int i = 0; i < 3; ++i)
    fact("interrupted: %s", said(wait_for(-1)));
  fact("granted: %s", said(wait_for(-1)));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  connected(fd, &server);
}
static void interrupts(void) { interrupted(0); }
static void interrupts_restart(void) { interrupted(SA_RESTART); } /* none of these is restarted */

/* Blocking calls are. */
static void restarts_connect(void) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  catch(SA_RESTART);
  pthread_t handle = sender(3);
  fact("connect: %s", result(reach(fd, &server)));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  connected(fd, &server);
}
static void interrupts_connect(void) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  catch(0);
  pthread_t handle = sender(1);
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLOUT, -1));
  pthread_join(handle, NULL);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("caught: %d", caught);
  connected(fd, &server);
}
static void write_with(int flags) {
  begin();
  blocking(fd);
  struct timeval never = {0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never); /* a limit would be a reason not to restart */
  catch(flags);
  pthread_t handle = sender(1);
  ssize_t n = write(fd, "hello\n", 6);
  fact("write: %s", n == 6 ? "6" : strerrorname_np(errno));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  if (n == 6)
    fact("comes back: %s", line(fd));
  connected(fd, &server);
}
static void restarts_write(void) { write_with(SA_RESTART); }
static void interrupts_write(void) { write_with(0); }

/* What a second of waiting costs, with half of the reply there. All ways at the same time, a thread for each. */
static double cpu_of_thread(void) {
  struct rusage used;
  getrusage(RUSAGE_THREAD, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
static void *waits(void *argument) {
  int (*wait)(int) = argument;
  double before = cpu_of_thread();
  int ready = wait(1000);
  double cost = cpu_of_thread() - before;
  if (ready != 0 || cost > 0.2)
    fact("%d, %.3f s of CPU", ready, cost);
  return NULL;
}
static int by_edge(int milliseconds) {
  int edge = epoll_create1(0);
  struct epoll_event one = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP};
  epoll_ctl(edge, EPOLL_CTL_ADD, fd, &one);
  return epoll_wait(edge, &one, 1, milliseconds);
}
static int by_connect(int milliseconds) {
  int one = tcp_socket(AF_INET);
  struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
  setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  int ready = reach(one, &server) == 0 || errno != EINPROGRESS;
  close(one);
  return ready;
}
static int by_read(int milliseconds) {
  int one = blocking(pending_socket(&server));
  struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
  setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int ready = read(one, &(char){0}, 1) >= 0 || errno != EAGAIN;
  close(one);
  return ready;
}
static void idle(void) {
  int (*const all[])(int) = {by_poll, by_select, by_pselect, by_epoll, by_epoll_pwait2, by_edge, by_connect, by_read};
  enum { count = sizeof all / sizeof *all };
  pthread_t handles[count];
  begin();
  tell(&server, "drip 4");
  for (int i = 0; i < count; ++i)
    pthread_create(handles + i, NULL, waits, all[i]);
  for (int i = 0; i < count; ++i)
    pthread_join(handles[i], NULL);
  fact("waited");
}

/* With a short SOCKSIFY_TIMEOUT: for these no kernel is the judge. */
static void expires(void) {
  begin();
  fact("expired: %s", said(wait_for(-1)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("SO_ERROR: %s", so_error(fd));
  tell(&server, "gone 1");
  fact("gone");
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
}
static void expires_connect(void) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "gone 1");
  fact("gone");
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  connected(fd, &server);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
    int needs_mask, is_hidden;
  } cases[] = {{"limits", limits, 0, 0},         {"no-shorter", no_shorter, 0, 0},
               {"mask", let_in, 1, 0},           {"interrupts", interrupts, 0, 0},
               {"interrupts-restart", interrupts_restart, 0, 0}, {"expires", expires, 0, 1}};
  static const struct test tests[] = {
      {"restarts-connect", restarts_connect}, {"interrupts-connect", interrupts_connect},
      {"restarts-write", restarts_write},     {"interrupts-write", interrupts_write},
      {"idle", idle},
  };
  const char *wanted = argc > 1 ? argv[1] : "list";
  signal(SIGPIPE, SIG_IGN);
  int is_list = strcmp(wanted, "list") == 0;
  for (size_t w = 0; w < sizeof ways / sizeof *ways; ++w)
    for (size_t c = 0; c < sizeof cases / sizeof *cases; ++c) {
      char name[64];
      snprintf(name, sizeof name, "%s.%s", ways[w].name, cases[c].name);
      if (cases[c].needs_mask && !ways[w].has_mask)
        continue;
      if (is_list && !cases[c].is_hidden)
        puts(name);
      if (strcmp(wanted, name) != 0)
        continue;
      wait_for = ways[w].wait;
      cases[c].run();
      return 0;
    }
  if (strcmp(wanted, "connect.expires") == 0)
    return expires_connect(), 0;
  return RUN_TESTS(tests, argc, argv);
}
