/* SPDX-License-Identifier: MIT */
/* What the programs have in common that run directly and through the shim, with the same facts to come out of both: the
   ends of tests/servers/slow_socks.py that hold a connection until told otherwise, and the words for what is ready. */
#pragma once
#include "facts.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* A destination of our own, and the way to tell its server what to do. */
struct server {
  int control;
  char where[64];
};

static inline const char* answer_of(int control, char* into, size_t size) {
  size_t n = 0;
  for (; n < size - 1; ++n)
    if (read(control, into + n, 1) != 1 || into[n] == '\n')
      break;
  into[n] = '\0';
  return into;
}

static inline struct server slow_server(void) {
  struct server server = {.control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", getenv("CONTROL"));
  if (connect(server.control, (struct sockaddr*)&address, sizeof address) != 0)
    die("control");
  answer_of(server.control, server.where, sizeof server.where);
  return server;
}

/* Does not return before it is done. */
__attribute__((format(printf, 2, 3))) static inline const char* tell(const struct server* server, const char* format,
                                                                     ...) {
  static __thread char answer[64];
  char words[256];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(words, sizeof words - 1, format, arguments);
  va_end(arguments);
  words[n++] = '\n';
  if (write(server->control, words, n) != n)
    die("tell");
  return answer_of(server->control, answer, sizeof answer);
}

static inline int nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}
static inline int blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}
static inline int nonblocking_socket(void) { return nonblocking(tcp_socket(AF_INET)); }

static inline int reach(int fd, const struct server* server) { return connect_to(fd, server->where, AF_INET); }

/* A non-blocking connect() that is on its way. */
static inline int pending_socket(const struct server* server) {
  int fd = nonblocking_socket();
  if (reach(fd, server) == 0 || errno != EINPROGRESS)
    fact("connect: %s", strerrorname_np(errno));
  return fd;
}

/* poll() and epoll have the same numbers for the same events. Eight texts at a time. */
static inline const char* events(unsigned bits) {
  static const struct {
    unsigned bit;
    const char* name;
  } names[] = {{EPOLLIN, "IN "},    {EPOLLPRI, "PRI "},       {EPOLLOUT, "OUT "},
               {EPOLLERR, "ERR "},  {EPOLLHUP, "HUP "},       {EPOLLRDHUP, "RDHUP "},
               {POLLNVAL, "NVAL "}, {EPOLLRDNORM, "RDNORM "}, {EPOLLWRNORM, "WRNORM "}};
  static __thread char texts[8][80];
  static __thread int turn;
  char* out = texts[turn++ % 8];
  snprintf(out, 80, "nothing ");
  for (size_t i = 0, n = 0; i < sizeof names / sizeof *names; ++i)
    if (bits & names[i].bit)
      n += snprintf(out + n, 80 - n, "%s", names[i].name);
  out[strlen(out) - 1] = '\0';
  return out;
}

/* What poll() has to say of one descriptor, or the name of its errno. */
static inline const char* polled(int fd, int asked, int milliseconds) {
  struct pollfd one = {.fd = fd, .events = asked};
  int ready = poll(&one, 1, milliseconds);
  return ready < 0 ? strerrorname_np(errno) : events(one.revents);
}

static inline const char* peer_of(int fd, const struct server* server) {
  const char* said = ask(getpeername, fd);
  return strcmp(said, server->where) == 0 ? "the destination" : said;
}

/* "ok" if what is said comes back. */
static inline const char* echoes(int fd) {
  char got[8] = "";
  size_t n = 0;
  blocking(fd);
  if (write(fd, "hello\n", 6) != 6)
    return strerrorname_np(errno);
  for (ssize_t more; n < 6; n += more)
    if ((more = read(fd, got + n, 6 - n)) <= 0)
      return more == 0 ? "end" : strerrorname_np(errno);
  return strcmp(got, "hello\n") == 0 ? "ok" : "something else";
}

/* All that a connection has to be when it is made. */
static inline void connected(int fd, const struct server* server) {
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_of(fd, server));
  fact("echo: %s", echoes(fd));
}

/* The server has seen one connection and nothing too early. */
static inline void requested(const struct server* server, int times) {
  char requests[16];
  snprintf(requests, sizeof requests, "%s", tell(server, "requests"));
  if (atoi(requests) != times)
    fact("requests: %s", requests);
  const char* early = tell(server, "early");
  if (strcmp(early, "0") != 0)
    fact("early bytes: %s", early);
}

static inline double cpu_seconds(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec + used.tv_nsec / 1e9;
}

/* Until this thread sleeps in a system call. */
static inline void await_sleep(pid_t thread) {
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  while (state != 'S') {
    FILE* file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
      return;
    fclose(file);
    usleep(1000);
  }
}

struct test {
  const char* name;
  void (*run)(void);
};

/* PROGRAM list | PROGRAM NAME */
static inline int run_test(const struct test* tests, size_t count, int argc, char** argv) {
  const char* wanted = argc > 1 ? argv[1] : "list";
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < count; ++i)
    if (strcmp(wanted, "list") == 0)
      puts(tests[i].name);
    else if (strcmp(wanted, tests[i].name) == 0)
      return tests[i].run(), 0;
  return strcmp(wanted, "list") == 0 ? 0 : 2;
}
#define RUN_TESTS(tests, argc, argv) run_test(tests, sizeof(tests) / sizeof *(tests), argc, argv)
