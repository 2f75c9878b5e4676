/* SPDX-License-Identifier: MIT */
/* signals WAY IP:PORT: an alarm goes off every 50 ms while the SOCKS server takes its time. WAY: restart (the handler was
   installed with SA_RESTART), retry (it was not: connect() until it succeeds), poll (it was not: wait for the socket, ask
   SO_ERROR), give-up (it was not: read what is there), accept (connects first, then waits for a call). */
#include "net.h"
#include <sys/time.h>

static volatile sig_atomic_t alarms;
static void on_alarm(int signal) { (void)signal, ++alarms; }

static void ring(int flags, int every_ms) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
  struct itimerval timer = {.it_interval.tv_usec = every_ms * 1000, .it_value.tv_usec = every_ms * 1000};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int retry(int fd, const char *where) {
  for (int tries = 0; tries < 200; ++tries) {
    int connected = connect_to(fd, where, AF_INET);
    if (connected == 0 || errno == EISCONN)
      return 0;
    if (errno != EINTR && errno != EALREADY)
      return -1;
    if (tries == 0)
      fact("interrupted: %s", strerrorname_np(errno));
    if (tries == 3)
      ring(0, 0); /* peace */
    poll(NULL, 0, 10);
  }
  errno = ETIMEDOUT;
  return -1;
}

int main(int argc, char **argv) {
  (void)argc;
  const char *way = argv[1], *where = argv[2];
  int fd = tcp_socket(AF_INET);
  if (strcmp(way, "accept") == 0) {
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    int listening = tcp_socket(AF_INET), accepted, interrupted = 0;
    fact("connect: %s", result(connect_to(fd, where, AF_INET)));
    fact("talk: %s", converse(fd));
    bind_to(listening, "0.0.0.0:0", AF_INET);
    listen(listening, 1);
    getsockname(listening, (struct sockaddr *)&name, &length);
    ring(0, 50);
    while ((accepted = accept(listening, NULL, NULL)) < 0 && errno == EINTR)
      if (++interrupted == 2) /* with a time limit, which tcp_socket() sets, SA_RESTART does not count: signal(7) */
        ring(0, 0), send_line(fd, "call %s hello", address_text(&name));
    fact("interrupted: %s", interrupted == 2 ? "twice" : "not as it should be");
    fact("accept: %s", result(accepted));
    fact("call: %s", strcmp(read_line(accepted), "hello") == 0 ? "ok" : "wrong");
    return 0;
  }
  int flags = strcmp(way, "restart") == 0 ? SA_RESTART : 0;
  ring(flags, 50);
  if (strcmp(way, "retry") == 0) {
    fact("connect: %s", result(retry(fd, where)));
  } else {
    fact("connect: %s", result(connect_to(fd, where, AF_INET)));
    ring(flags, 0);
  }
  ring(SA_RESTART, 0);
  if (strcmp(way, "poll") == 0) {
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    fact("poll: %d", poll(&waiting, 1, 30000));
    const char *error = so_error(fd), *got = strcmp(error, "0") == 0 ? converse(fd) : read_line(fd);
    fact("agreed: %s", strcmp(got, strcmp(error, "0") == 0 ? "ok" : "ENOTCONN") == 0 ? "yes" : got);
    return 0;
  }
  if (strcmp(way, "give-up") == 0) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    poll(&waiting, 1, 1000); /* as long as the SOCKS server needs, and longer */
    const char *got = read_line(fd);
    fact("reads: %s", strcmp(got, "ENOTCONN") == 0 || strncmp(got, "app ", 4) == 0 ? "nothing strange" : got);
    return 0;
  }
  fact("alarms: %s", alarms ? "some" : "none");
  fact("talk: %s", converse(fd));
}
