/* SPDX-License-Identifier: MIT */
/* An alarm goes off every 50 ms while the SOCKS server takes its time to connect to $DESTINATION. */
#include "testing.h"
#include <sys/time.h>

static volatile sig_atomic_t alarms;

static void on_alarm(int signal) { (void)signal, ++alarms; }

static void ring(int flags, int every_ms) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  struct itimerval timer = {.it_interval.tv_usec = every_ms * 1000, .it_value.tv_usec = every_ms * 1000};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop_ringing(void) { ring(SA_RESTART, 0); }

static int connect_once(int fd) { return connect_to(fd, getenv("DESTINATION"), AF_INET); }

TEST(restarted) {
  int fd = tcp_socket(AF_INET);
  ring(SA_RESTART, 50);
  EXPECT_OK(connect_once(fd));
  stop_ringing();
  EXPECT(alarms > 0);
  EXPECT_TEXT(converse(fd), "ok");
}

/* A socket whose connect() is interrupted. */
static int interrupted_socket(void) {
  int fd = tcp_socket(AF_INET);
  ring(0, 50);
  EXPECT_ERROR(connect_once(fd), EINTR);
  return fd;
}

/* Calls connect() until it succeeds; the alarm goes off during the first few calls. */
static int connect_again(int fd) {
  for (int tries = 0; tries < 200; ++tries) {
    if (connect_once(fd) == 0 || errno == EISCONN)
      return 0;
    if (errno != EINTR && errno != EALREADY)
      return -1;
    if (tries == 2)
      stop_ringing();
    poll(NULL, 0, 10);
  }
  errno = ETIMEDOUT;
  return -1;
}

TEST(interrupted_then_again) {
  int fd = interrupted_socket();
  EXPECT_OK(connect_again(fd));
  stop_ringing();
  EXPECT(alarms > 0);
  EXPECT_TEXT(converse(fd), "ok");
}

/* poll(), SO_ERROR and the data agree about the outcome. */
TEST(interrupted_then_poll) {
  int fd = interrupted_socket();
  stop_ringing();
  EXPECT_INT(poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 30000), 1);
  if (option(fd, SO_ERROR) == 0)
    EXPECT_TEXT(converse(fd), "ok");
  else
    EXPECT_TEXT(read_line(fd), "ENOTCONN");
}

/* The program may find no connection or a whole one, but no byte of SOCKS. */
TEST(interrupted_then_read) {
  int fd = interrupted_socket();
  stop_ringing();
  poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1000); /* longer than the SOCKS server needs */
  const char* got = read_line(fd);
  if (strncmp(got, "app ", 4) != 0)
    EXPECT_TEXT(got, "ENOTCONN");
}

/* tcp_socket() sets a time limit, with which accept() is not restarted (signal(7)). */
TEST(interrupted_accept) {
  int primary = tcp_socket(AF_INET), listening = tcp_socket(AF_INET);
  EXPECT_OK(connect_once(primary));
  EXPECT_TEXT(converse(primary), "ok");
  EXPECT_OK(bind_to(listening, "0.0.0.0:0", AF_INET));
  EXPECT_OK(listen(listening, 1));
  const char* name = local_address(listening);
  ring(0, 50);
  EXPECT_ERROR(accept(listening, NULL, NULL), EINTR);
  EXPECT_ERROR(accept(listening, NULL, NULL), EINTR);
  stop_ringing();
  send_line(primary, "call %s hello", name);
  int accepted = accept(listening, NULL, NULL);
  EXPECT_OK(accepted);
  EXPECT_TEXT(read_line(accepted), "hello");
}
