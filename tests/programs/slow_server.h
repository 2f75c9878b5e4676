/* SPDX-License-Identifier: MIT */
/* For tests whose judge is the kernel: each runs directly and through the shim, and its facts must be the same. The
   server is tests/servers/slow_socks.py, which holds every connection until it is told what to do with it. */
#pragma once
#include "testing.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* A destination that belongs to one test, and the connection that carries commands to its server. */
struct server {
  int control;
  char where[64];
};

static inline const char* read_answer(int control, char* into, size_t size) {
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
  read_answer(server.control, server.where, sizeof server.where);
  return server;
}

/* Returns the answer, which comes when the command is done. */
__attribute__((format(printf, 2, 3))) static inline const char* tell(const struct server* server, const char* format,
                                                                     ...) {
  static __thread char answer[64];
  va_list arguments;
  va_start(arguments, format);
  send_formatted_line(server->control, format, arguments);
  va_end(arguments);
  return read_answer(server->control, answer, sizeof answer);
}

static inline int reach(int fd, const struct server* server) { return connect_to(fd, server->where, AF_INET); }

/* A socket whose connect() is in progress. */
static inline int pending_socket(const struct server* server) {
  int fd = nonblocking_socket();
  if (reach(fd, server) == 0 || errno != EINPROGRESS)
    fact("connect: %s", strerrorname_np(errno));
  return fd;
}

/* The names of events; poll() and epoll use the same bits. Eight results stay valid. */
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

/* The events that poll() returns for one descriptor, or the name of its errno. */
static inline const char* polled(int fd, int wanted, int milliseconds) {
  struct pollfd one = {.fd = fd, .events = wanted};
  int ready = poll(&one, 1, milliseconds);
  return ready < 0 ? strerrorname_np(errno) : events(one.revents);
}

static inline const char* peer_of(int fd, const struct server* server) {
  const char* address = peer_address(fd);
  return strcmp(address, server->where) == 0 ? "the destination" : address;
}

/* "ok" if what is sent comes back. */
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

/* Everything that holds for an established connection. */
static inline void check_connected(int fd, const struct server* server) {
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", peer_of(fd, server));
  fact("echo: %s", echoes(fd));
}

/* The server received this many connections, and no byte of the program before the reply. */
static inline void check_requests(const struct server* server, int times) {
  char requests[16];
  snprintf(requests, sizeof requests, "%s", tell(server, "requests"));
  if (atoi(requests) != times)
    fact("requests: %s", requests);
  const char* early = tell(server, "early");
  if (strcmp(early, "0") != 0)
    fact("early bytes: %s", early);
}

static inline struct timeval milliseconds_as_timeval(int milliseconds) {
  return (struct timeval){milliseconds / 1000, milliseconds % 1000 * 1000};
}

/* NULL means no limit, for -1. */
static inline struct timespec* limit_of(int milliseconds) {
  static __thread struct timespec time;
  time = (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return milliseconds < 0 ? NULL : &time;
}

/* Returns when this thread or process sleeps in a system call. */
static inline void await_sleep(pid_t id) {
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/%d/stat", id);
  while (state != 'S') {
    FILE* file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
      return;
    fclose(file);
    usleep(1000);
  }
}

/* Starts a thread, and returns when it sleeps in a system call. */
struct sleeper {
  void* (*run)(void*);
  void* argument;
  pid_t id;
};

static inline void* run_sleeper(void* argument) {
  struct sleeper* sleeper = argument;
  __atomic_store_n(&sleeper->id, gettid(), __ATOMIC_RELEASE);
  return sleeper->run(sleeper->argument);
}

/* `sleeper` must outlive the thread. */
static inline pthread_t start_sleeper(struct sleeper* sleeper) {
  pthread_t handle;
  pthread_create(&handle, NULL, run_sleeper, sleeper);
  while (!__atomic_load_n(&sleeper->id, __ATOMIC_ACQUIRE))
    usleep(1000);
  await_sleep(sleeper->id);
  return handle;
}
