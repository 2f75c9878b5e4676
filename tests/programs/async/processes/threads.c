/* SPDX-License-Identifier: MIT */
/* Connections of many threads, and one connection that many threads wait for. */
#include "async/processes/processes.h"

/* 20 connections in each of 32 threads. */
static const struct server* granting;

static volatile int good_ones;

static void* many(void* argument) {
  for (int i = 0; i < 20; ++i)
    __sync_fetch_and_add(&good_ones, one_connection(granting, ((intptr_t)argument + i) % 4));
  return NULL;
}

static void check_threads(size_t stack) {
  struct server server = slow_server();
  pthread_t handles[32];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack && pthread_attr_setstacksize(&attributes, stack) != 0)
    die("stack");
  granting = &server;
  tell(&server, "grant");
  for (intptr_t i = 0; i < 32; ++i)
    if ((errno = pthread_create(handles + i, &attributes, many, (void*)i)) != 0)
      die("thread");
  for (int i = 0; i < 32; ++i)
    pthread_join(handles[i], NULL);
  fact("good: %d", good_ones);
  check_requests(&server, 640);
}

TEST(threads) { check_threads(0); }

TEST(small_stacks) { check_threads(65536); }

/* Twelve threads wait for one socket, in three ways. */
static struct {
  struct server server;
  int fd;
  volatile int waiting, ready;
} shared;

static void* wait_for_shared(void* argument) {
  intptr_t way = (intptr_t)argument;
  __sync_fetch_and_add(&shared.waiting, 1);
  int good = way % 3 == 0   ? polled(shared.fd, POLLOUT, -1)[0] == 'O'
             : way % 3 == 1 ? by_select(shared.fd) == 1
                            : (by_epoll(shared.fd, -1) & EPOLLOUT) != 0;
  __sync_fetch_and_add(&shared.ready, good);
  return NULL;
}

TEST(same_socket) {
  pthread_t handles[12];
  shared.server = slow_server();
  shared.fd = pending_socket(&shared.server);
  for (intptr_t i = 0; i < 12; ++i)
    pthread_create(handles + i, NULL, wait_for_shared, (void*)i);
  while (shared.waiting < 12)
    usleep(1000);
  tell(&shared.server, "await 1");
  tell(&shared.server, "drip 5");
  usleep(20000);
  fact("ready too early: %d", shared.ready);
  tell(&shared.server, "grant");
  for (int i = 0; i < 12; ++i)
    pthread_join(handles[i], NULL);
  fact("ready: %d", shared.ready);
  check_connected(shared.fd, &shared.server);
  check_requests(&shared.server, 1);
}

/* A library may connect before main(). */
static int early_results[4] = {-1, -1, -1, -1};

__attribute__((constructor)) static void early(int argc, char** argv) {
  if (argc < 2 || strcmp(argv[1], "constructor") != 0)
    return;
  struct server server = slow_server();
  tell(&server, "grant");
  for (int way = 0; way < 4; ++way)
    early_results[way] = one_connection(&server, way);
}

TEST(constructor) {
  fact("%d %d %d %d", early_results[0], early_results[1], early_results[2], early_results[3]);
  check_threads(0);
}

/* Many rounds, in which each thread has an epoll set of its own: each gets one event, with its own data word. */
static struct {
  struct server* server;
  int fd;
  pthread_barrier_t begin, end;
  volatile int number, good, over;
} rounds;

static void* wait_in_rounds(void* argument) {
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
    __sync_fetch_and_add(&rounds.good, good);
    close(set);
    pthread_barrier_wait(&rounds.end);
  }
}

TEST(own_data_words) {
  enum { THREADS = 6, ROUNDS = 200 };
  struct server server = slow_server();
  pthread_t handles[THREADS];
  tell(&server, "grant");
  pthread_barrier_init(&rounds.begin, NULL, THREADS + 1);
  pthread_barrier_init(&rounds.end, NULL, THREADS + 1);
  for (intptr_t i = 0; i < THREADS; ++i)
    pthread_create(handles + i, NULL, wait_in_rounds, (void*)i);
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
  fact("good: %d", rounds.good);
}
