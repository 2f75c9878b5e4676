/* SPDX-License-Identifier: MIT */
/* A signal handler that connects and waits, whatever it interrupts. */
#include "async/processes/processes.h"
#include <sys/time.h>

static struct server server_of_handler;

static volatile int handled, good_handled;

static void on_alarm(int signal) {
  (void)signal;
  int error = errno;
  good_handled += one_connection(&server_of_handler, handled % 4);
  ++handled;
  errno = error;
}

static void ring(int microseconds) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  struct itimerval timer = {.it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void begin_handling(void) {
  server_of_handler = slow_server();
  tell(&server_of_handler, "grant");
}

TEST(handler_in_poll) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = epoll_create1(0), ready = 0;
  struct epoll_event event = {.events = EPOLLOUT};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  begin_handling();
  ring(5000);
  while (handled < 8)
    if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) != -1 || errno != EINTR)
      fact("poll: %s", strerrorname_np(errno));
  while (handled < 16)
    if (epoll_wait(set, &event, 1, -1) != -1 || errno != EINTR)
      fact("epoll_wait: %s", strerrorname_np(errno));
  tell(&server, "grant");
  while ((ready = epoll_wait(set, &event, 1, -1)) < 0 && errno == EINTR)
    ;
  ring(0);
  fact("ready: %d, all handled well: %d", ready, handled == good_handled);
  check_connected(fd, &server);
}

static void* grants(void* argument) {
  while (handled < 8)
    usleep(1000);
  tell(argument, "grant");
  return NULL;
}

TEST(handler_in_connect) {
  struct server server = slow_server();
  pthread_t handle;
  sigset_t alarm;
  int fd = tcp_socket(AF_INET);
  begin_handling();
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm, NULL);
  pthread_create(&handle, NULL, grants, &server);
  pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
  ring(5000);
  int connected_well = reach(fd, &server);
  ring(0);
  fact("connect: %s, all handled well: %d", result(connected_well), handled == good_handled);
  pthread_join(handle, NULL);
  check_connected(fd, &server);
}

/* The signals arrive anywhere in the library. */
TEST(handler_anywhere) {
  struct server server = slow_server();
  int good = 0, all = 0;
  tell(&server, "grant");
  begin_handling();
  ring(10000);
  while (handled < 100) {
    int fd = nonblocking_socket();
    int is_pending = reach(fd, &server) == 0 || errno == EINPROGRESS;
    while (is_pending && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) < 0 && errno == EINTR)
      ;
    good += is_pending && strcmp(peer_of(fd, &server), "the destination") == 0;
    ++all;
    close(reset_on_close(fd));
  }
  ring(0);
  fact("good: %d, handled well: %d", good == all, good_handled == handled);
}
