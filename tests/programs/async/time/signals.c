/* SPDX-License-Identifier: MIT */
/* Signals that arrive while a program waits. */
#include "async/time/time.h"

static volatile int caught;

static void on_signal(int signal) { (void)signal, ++caught; }

static void install_handler(int flags) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(SIGUSR1, &action, NULL);
}

static void block(int how) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(how, &one, NULL);
}

static void report(const char* when, int ready) { fact("%s: %s, caught %d", when, outcome(ready), caught); }

/* A blocked signal that the mask of the wait lets in. */
TEST_EACH(mask, way, masked_ways) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  begin_connect();
  install_handler(SA_RESTART);
  block(SIG_BLOCK);
  raise(SIGUSR1);
  report("no mask", way->wait(10));
  mask = &all;
  report("all blocked", way->wait(10));
  mask = &none;
  report("let in", way->wait(-1));
  raise(SIGUSR1);
  report("again", way->wait(0));
  report("none left", way->wait(10));
  raise(SIGUSR1);
  fact("blocked as before: caught %d", caught);
  tell(&server, "grant");
  mask = NULL;
  report("granted", way->wait(-1));
  check_connected(fd, &server);
}

/* A second thread sends signals while the first one sleeps, and then grants its connection. */
static pthread_t waiting;

static pid_t waiting_id;

static void* send_signals(void* argument) {
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
  pthread_create(&handle, NULL, send_signals, (void*)(intptr_t)times);
  return handle;
}

static void check_interrupts(const struct way* way, int flags) {
  begin_connect();
  install_handler(flags);
  pthread_t handle = sender(3);
  for (int i = 0; i < 3; ++i)
    fact("interrupted: %s", outcome(way->wait(-1)));
  fact("granted: %s", outcome(way->wait(-1)));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  check_connected(fd, &server);
}

TEST_EACH(interrupts, way, ways) { check_interrupts(way, 0); }

/* SA_RESTART does not restart these calls. */
TEST_EACH(interrupts_restart, way, ways) { check_interrupts(way, SA_RESTART); }

/* Blocking calls are restarted. */
TEST(restarts_connect) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  install_handler(SA_RESTART);
  pthread_t handle = sender(3);
  fact("connect: %s", result(reach(fd, &server)));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  check_connected(fd, &server);
}

TEST(interrupts_connect) {
  server = slow_server();
  fd = tcp_socket(AF_INET);
  install_handler(0);
  pthread_t handle = sender(1);
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLOUT, -1));
  pthread_join(handle, NULL);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("caught: %d", caught);
  check_connected(fd, &server);
}

static void check_write(int flags) {
  begin_connect();
  blocking(fd);
  struct timeval never = {0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never); /* a call with a time limit is not restarted */
  install_handler(flags);
  pthread_t handle = sender(1);
  ssize_t n = write(fd, "hello\n", 6);
  fact("write: %s", n == 6 ? "6" : strerrorname_np(errno));
  pthread_join(handle, NULL);
  fact("caught: %d", caught);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  if (n == 6)
    fact("comes back: %s", read_line(fd));
  check_connected(fd, &server);
}

TEST(restarts_write) { check_write(SA_RESTART); }

TEST(interrupts_write) { check_write(0); }
