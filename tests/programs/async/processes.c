/* SPDX-License-Identifier: MIT */
/* async_processes CASE: connections of many threads, in parents and children, before main() and in signal handlers. */
#include "slow.h"
#include <spawn.h>
#include <sys/time.h>

static const char *self;

static unsigned by_epoll(int fd, int milliseconds) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = 77};
  int set = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  int ready = epoll_wait(set, &event, 1, milliseconds);
  close(set);
  return ready > 0 ? event.events : 0;
}
static int by_select(int fd) {
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return select(fd + 1, NULL, &out, NULL, NULL);
}

/* Closed by a reset, so that numbers of ports come back at once. */
static void drop(int fd) {
  struct linger now = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

static const char *bytes_of(int fd) {
  static __thread char texts[64 * 3];
  unsigned char bytes[64];
  ssize_t count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  int length = snprintf(texts, sizeof texts, "%zd:", count);
  for (ssize_t i = 0; i < count && i < 60; ++i)
    length += snprintf(texts + length, sizeof texts - length, " %02x", bytes[i]);
  return texts;
}

/* A connection by one of four ways, from the beginning to the end; 1 if all is as it should be. */
static int one_connection(const struct server *server, int way) {
  int fd = way == 0 ? tcp_socket(AF_INET) : nonblocking_socket(), begun = reach(fd, server);
  const char *seen = begun == 0 ? "" : strerrorname_np(errno), *words = "not asked";
  if (way == 1)
    seen = polled(fd, POLLOUT, -1);
  else if (way == 2)
    seen = by_select(fd) == 1 ? "" : strerrorname_np(errno);
  else if (way == 3)
    seen = events(by_epoll(fd, -1));
  const char *error = so_error(fd);
  int good = strcmp(error, "0") == 0 && strcmp(words = echoes(fd), "ok") == 0;
  if (!good) /* what is read next says more */
    fact("way %d: %s, SO_ERROR: %s, echo: %s, %s", way, seen, error, words, bytes_of(fd));
  drop(fd);
  return good;
}

/* 32 threads x 20 connections. */
static const struct server *granting;
static volatile int good_ones;
static void *many(void *argument) {
  for (int i = 0; i < 20; ++i)
    __sync_fetch_and_add(&good_ones, one_connection(granting, ((intptr_t)argument + i) % 4));
  return NULL;
}
static void threads_with(size_t stack) {
  struct server server = slow_server();
  pthread_t handles[32];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack && pthread_attr_setstacksize(&attributes, stack) != 0)
    die("stack");
  granting = &server;
  tell(&server, "grant");
  for (intptr_t i = 0; i < 32; ++i)
    if ((errno = pthread_create(handles + i, &attributes, many, (void *)i)) != 0)
      die("thread");
  for (int i = 0; i < 32; ++i)
    pthread_join(handles[i], NULL);
  fact("good: %d", good_ones);
  requested(&server, 640);
}
static void threads(void) { threads_with(0); }
static void small_stacks(void) { threads_with(65536); }

/* One thread's connect(), and the others wait for the same socket, each in its way. */
static struct {
  struct server server;
  int fd;
  volatile int waiting, told;
} shared;
static void *wait_for_shared(void *argument) {
  intptr_t way = (intptr_t)argument;
  __sync_fetch_and_add(&shared.waiting, 1);
  int good = way % 3 == 0   ? polled(shared.fd, POLLOUT, -1)[0] == 'O'
             : way % 3 == 1 ? by_select(shared.fd) == 1
                            : (by_epoll(shared.fd, -1) & EPOLLOUT) != 0;
  __sync_fetch_and_add(&shared.told, good);
  return NULL;
}
static void same_socket(void) {
  pthread_t handles[12];
  shared.server = slow_server();
  shared.fd = pending_socket(&shared.server);
  for (intptr_t i = 0; i < 12; ++i)
    pthread_create(handles + i, NULL, wait_for_shared, (void *)i);
  while (shared.waiting < 12)
    usleep(1000);
  tell(&shared.server, "await 1");
  tell(&shared.server, "drip 5");
  usleep(20000);
  fact("told too early: %d", shared.told);
  tell(&shared.server, "grant");
  for (int i = 0; i < 12; ++i)
    pthread_join(handles[i], NULL);
  fact("told: %d", shared.told);
  connected(shared.fd, &shared.server);
  requested(&shared.server, 1);
}

/* The same, each with an epoll set of its own, over and over: all are told once, and in their own words. */
static struct {
  struct server *server;
  int fd;
  pthread_barrier_t begin, end;
  volatile int number, told, over;
} rounds;
static void *wait_in_own_words(void *argument) {
  intptr_t number = (intptr_t)argument;
  for (;;) {
    pthread_barrier_wait(&rounds.begin);
    if (rounds.over)
      return NULL;
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.u64 = number + 1000};
    epoll_ctl(set, EPOLL_CTL_ADD, rounds.fd, &event);
    memset(&event, 0, sizeof event);
    int ready = epoll_wait(set, &event, 1, 30000);
    int good = ready == 1 && event.data.u64 == (uint64_t)number + 1000 && event.events == EPOLLOUT;
    if (!good)
      fact("round %d, thread %d: %d, %llx %s", rounds.number, (int)number, ready, (unsigned long long)event.data.u64,
           events(event.events));
    __sync_fetch_and_add(&rounds.told, good);
    close(set);
    pthread_barrier_wait(&rounds.end);
  }
}
static void own_words(void) {
  enum { THREADS = 6, ROUNDS = 200 };
  struct server server = slow_server();
  pthread_t handles[THREADS];
  tell(&server, "grant");
  pthread_barrier_init(&rounds.begin, NULL, THREADS + 1);
  pthread_barrier_init(&rounds.end, NULL, THREADS + 1);
  for (intptr_t i = 0; i < THREADS; ++i)
    pthread_create(handles + i, NULL, wait_in_own_words, (void *)i);
  for (int i = 0; i < ROUNDS; ++i) {
    rounds.number = i;
    rounds.fd = nonblocking_socket();
    reach(rounds.fd, &server);
    pthread_barrier_wait(&rounds.begin);
    pthread_barrier_wait(&rounds.end);
    close(rounds.fd);
  }
  rounds.over = 1;
  pthread_barrier_wait(&rounds.begin);
  for (int i = 0; i < THREADS; ++i)
    pthread_join(handles[i], NULL);
  fact("told: %d", rounds.told);
}

/* Two pipes between parent and child: a byte is a go. */
static int to_child[2], to_parent[2];
static void pipes(void) {
  if (pipe(to_child) != 0 || pipe(to_parent) != 0)
    die("pipe");
}
static void go(int *ends) {
  if (write(ends[1], "x", 1) != 1)
    die("go");
}
static void await_go(int *ends) {
  if (read(ends[0], &(char){0}, 1) != 1)
    exit(1); /* the other side has said why */
}
static void await_sleep_of(pid_t process) {
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  while (state != 'S') {
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
      die("no child");
    fclose(file);
    usleep(1000);
  }
}
static void child_has_ended(void) {
  int status;
  wait(&status);
  fact("child: %s", status ? "failed" : "ok");
}

/* Both sides wait for what the parent has begun. In the end one of the two asks for the error, and then the other. */
static const char *how(int way, int fd) {
  return way == 0 ? polled(fd, POLLIN | POLLOUT, -1) : way == 1 ? (by_select(fd), "selected") : events(by_epoll(fd, -1));
}
static void fork_pending(int way, const char *command) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pipes();
  pid_t child = fork();
  if (child == 0) {
    const char *seen = how(way, fd);
    await_go(to_child);
    fact("child: %s", seen);
    fact("child: %s, %s", so_error(fd), peer_of(fd, &server));
    go(to_parent);
    await_go(to_child);
    if (strcmp(command, "grant") == 0)
      fact("child: %s", echoes(fd));
    exit(0);
  }
  tell(&server, "await 1");
  await_sleep_of(child);
  tell(&server, "%s", command);
  const char *seen = how(way, fd);
  fact("parent: %s", seen);
  go(to_child);
  await_go(to_parent);
  fact("parent: %s, %s", so_error(fd), peer_of(fd, &server));
  go(to_child);
  child_has_ended();
  if (strcmp(command, "grant") != 0)
    return;
  fact("parent: %s", echoes(fd));
  requested(&server, 1);
}
static void fork_granted_poll(void) { fork_pending(0, "grant"); }
static void fork_granted_select(void) { fork_pending(1, "grant"); }
static void fork_granted_epoll(void) { fork_pending(2, "grant"); }
static void fork_refused_poll(void) { fork_pending(0, "refuse"); }
static void fork_refused_select(void) { fork_pending(1, "refuse"); }
static void fork_refused_epoll(void) { fork_pending(2, "refuse"); }

/* A set from before fork(): whose registration is one for both. */
static void fork_same_set(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 0x1234567887654321};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  pid_t child = fork();
  if (child == 0) {
    event.data.u64 = 0;
    int ready = epoll_wait(set, &event, 1, -1);
    fact("child: %d %llx %s", ready, (unsigned long long)event.data.u64, events(event.events));
    exit(0);
  }
  await_sleep_of(child);
  tell(&server, "grant");
  child_has_ended();
  event.data.u64 = 0;
  int ready = epoll_wait(set, &event, 1, -1);
  fact("parent: %d %llx %s", ready, (unsigned long long)event.data.u64, events(event.events));
  connected(fd, &server);
  requested(&server, 1);
}

/* Only the child waits; only the parent does, and the child has gone; the child is killed while it waits. */
static void fork_child_only(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pid_t child = fork();
  if (child == 0) {
    fact("child: %s", polled(fd, POLLOUT, -1));
    connected(fd, &server);
    exit(0);
  }
  await_sleep_of(child);
  tell(&server, "grant");
  child_has_ended();
  fact("parent: %s", polled(fd, POLLOUT, 0));
  connected(fd, &server);
  requested(&server, 1);
}
static void fork_child_gone(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  if (fork() == 0) {
    fact("child: %s", polled(fd, POLLOUT, 10));
    exit(0);
  }
  child_has_ended();
  fact("parent: %s", polled(fd, POLLOUT, 10));
  tell(&server, "grant");
  fact("parent: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
  requested(&server, 1);
}
static void fork_child_killed(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), status;
  pid_t child = fork();
  if (child == 0)
    for (;;)
      polled(fd, POLLOUT, 1);
  tell(&server, "await 1");
  usleep(20000);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  tell(&server, "grant");
  fact("parent: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
  requested(&server, 1);
}
/* The child closes it, or begins anew; the parent's connection is the parent's. */
static void fork_child_closes(void) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server);
  tell(&other, "grant");
  if (fork() == 0) {
    close(fd);
    exit(!one_connection(&other, 1));
  }
  child_has_ended();
  fact("parent: %s", polled(fd, POLLOUT, 10));
  tell(&server, "grant");
  fact("parent: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
  requested(&server, 1);
  requested(&other, 1);
}
static void fork_parent_closes(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pipes();
  if (fork() == 0) {
    await_go(to_child);
    fact("child: %s", polled(fd, POLLOUT, 10));
    go(to_parent);
    fact("child: %s", polled(fd, POLLOUT, -1));
    connected(fd, &server);
    exit(0);
  }
  close(fd);
  go(to_child);
  await_go(to_parent);
  tell(&server, "grant");
  child_has_ended();
  requested(&server, 1);
}
static void fork_connected(void) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  if (fork() == 0) {
    fact("child: %s", polled(fd, POLLOUT, 0));
    connected(fd, &server);
    fact("child: %s", result(reach(fd, &server)));
    close(fd);
    exit(!one_connection(&server, 3));
  }
  child_has_ended();
  fact("parent: %s", polled(fd, POLLOUT, 0));
  connected(fd, &server);
  requested(&server, 2);
}

/* A program that is started with a connection, and makes one of its own. */
static void spawned(const char *where, const char *number) {
  struct server server = {.control = -1};
  int fd = atoi(number);
  snprintf(server.where, sizeof server.where, "%s", where);
  if (fd >= 0)
    fact("child: %s", echoes(fd));
  fact("child: %d", one_connection(&server, 0) + one_connection(&server, 1) + one_connection(&server, 3));
}
static void with_spawn(int is_vfork) {
  extern char **environ;
  struct server server = slow_server(), held = slow_server();
  tell(&server, "grant");
  int pending = pending_socket(&held), fd = tcp_socket(AF_INET);
  fact("connect: %s", result(reach(fd, &server)));
  char number[16];
  snprintf(number, sizeof number, "%d", fd);
  char *words[] = {(char *)self, "spawned", server.where, number, NULL};
  pid_t child;
  if (!is_vfork) {
    if ((errno = posix_spawn(&child, self, NULL, NULL, words, environ)) != 0)
      die("posix_spawn");
  } else if ((child = vfork()) == 0) {
    close(pending);
    execve(self, words, environ);
    _exit(1);
  }
  child_has_ended();
  fact("pending: %s", polled(pending, POLLOUT, 10));
  tell(&held, "grant");
  fact("pending: %s", polled(pending, POLLOUT, -1));
  connected(pending, &held);
  connected(fd, &server);
  requested(&held, 1);
  requested(&server, 4);
}
static void by_posix_spawn(void) { with_spawn(0); }
static void by_vfork(void) { with_spawn(1); }

/* Before main(). */
static int early_results[4] = {-1, -1, -1, -1};
__attribute__((constructor)) static void early(int argc, char **argv) {
  if (argc < 2 || strcmp(argv[1], "constructor") != 0)
    return;
  struct server server = slow_server();
  tell(&server, "grant");
  for (int way = 0; way < 4; ++way)
    early_results[way] = one_connection(&server, way);
}
static void constructor(void) {
  fact("%d %d %d %d", early_results[0], early_results[1], early_results[2], early_results[3]);
  threads();
}

/* A signal handler that connects and waits, whatever it has interrupted. */
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
static void handler_in_poll(void) {
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
  connected(fd, &server);
}
static void *grants(void *argument) {
  while (handled < 8)
    usleep(1000);
  tell(argument, "grant");
  return NULL;
}
static void handler_in_connect(void) {
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
  connected(fd, &server);
}
/* Interrupted anywhere in the library. */
static void handler_anywhere(void) {
  struct server server = slow_server();
  int good = 0, all = 0;
  tell(&server, "grant");
  begin_handling();
  ring(1000);
  while (handled < 100) {
    int fd = nonblocking_socket();
    int is_on_its_way = reach(fd, &server) == 0 || errno == EINPROGRESS;
    while (is_on_its_way && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) < 0 && errno == EINTR)
      ;
    good += is_on_its_way && strcmp(peer_of(fd, &server), "the destination") == 0;
    ++all;
    drop(fd);
  }
  ring(0);
  fact("good: %d, handled well: %d", good == all, good_handled == handled);
}

/* A set is closed while what is in it is on its way, and its number becomes another socket's or another set's. */
static void number_of_set(void) {
  struct server held = slow_server(), server = slow_server();
  int pending = pending_socket(&held), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 1};
  epoll_ctl(set, EPOLL_CTL_ADD, pending, &event);
  tell(&held, "await 1");
  tell(&server, "grant");
  close(set);
  int fd = pending_socket(&server);
  fact("the same number: %d", fd == set);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("select: %d", by_select(fd));
  connected(fd, &server);
  close(fd);
  int other = epoll_create1(0);
  fact("the same number: %d", other == set);
  fact("poll: %s", polled(other, POLLIN, 0));
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
    die("pipe");
  event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 2};
  epoll_ctl(other, EPOLL_CTL_ADD, ends[0], &event);
  fact("poll: %s", polled(other, POLLIN, -1));
  int ready = epoll_wait(other, &event, 1, -1);
  fact("epoll: %d %d", ready, (int)event.data.u64);
  tell(&held, "grant");
  fact("poll: %s", polled(pending, POLLOUT, -1));
  connected(pending, &held);
}

/* fork() while other threads are in the middle of it. */
static volatile int is_over;
static void *until_over(void *argument) {
  for (int i = (intptr_t)argument; !is_over; ++i)
    one_connection(granting, i % 4);
  return NULL;
}
static void fork_loop(void) {
  struct server server = slow_server();
  pthread_t handles[4];
  int good = 0, status;
  granting = &server;
  tell(&server, "grant");
  for (intptr_t i = 0; i < 4; ++i)
    pthread_create(handles + i, NULL, until_over, (void *)i);
  for (int i = 0; i < 60; ++i) {
    pid_t child = fork();
    if (child == 0) {
      alarm(30);
      _exit(!one_connection(&server, i % 4));
    }
    waitpid(child, &status, 0);
    good += status == 0;
  }
  is_over = 1;
  for (int i = 0; i < 4; ++i)
    pthread_join(handles[i], NULL);
  fact("good children: %d", good);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"threads", threads},
      {"small-stacks", small_stacks},
      {"same-socket", same_socket},
      {"own-words", own_words},
      {"fork-granted-poll", fork_granted_poll},
      {"fork-granted-select", fork_granted_select},
      {"fork-granted-epoll", fork_granted_epoll},
      {"fork-refused-poll", fork_refused_poll},
      {"fork-refused-select", fork_refused_select},
      {"fork-refused-epoll", fork_refused_epoll},
      {"fork-same-set", fork_same_set},
      {"fork-child-only", fork_child_only},
      {"fork-child-gone", fork_child_gone},
      {"fork-child-killed", fork_child_killed},
      {"fork-child-closes", fork_child_closes},
      {"fork-parent-closes", fork_parent_closes},
      {"fork-connected", fork_connected},
      {"fork-loop", fork_loop},
      {"number-of-set", number_of_set},
      {"posix-spawn", by_posix_spawn},
      {"vfork", by_vfork},
      {"constructor", constructor},
      {"handler-in-poll", handler_in_poll},
      {"handler-in-connect", handler_in_connect},
      {"handler-anywhere", handler_anywhere},
  };
  self = argv[0];
  if (argc == 4 && strcmp(argv[1], "spawned") == 0)
    return spawned(argv[2], argv[3]), 0;
  return RUN_TESTS(tests, argc, argv);
}
