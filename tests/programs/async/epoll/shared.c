/* SPDX-License-Identifier: MIT */
/* Sets and sockets that processes and threads share: nobody ever sees a data word that is not the program's. */
#include "async/epoll/epoll.h"

static void await_byte(int fd) {
  char byte;
  if (read(fd, &byte, 1) != 1)
    _exit(1);
}

static void send_byte(int fd) {
  if (write(fd, "x", 1) != 1)
    die("write");
}

/* A child waits for a set in which its parent registers a socket that the child does not have. */
TEST(child_waits) {
  struct server server = slow_server();
  int set = new_set(), go[2], done[2];
  if (pipe(go) != 0 || pipe(done) != 0)
    die("pipe");
  if (fork() == 0) {
    await_byte(go[0]);
    show_events("the child", set, 20);
    send_byte(done[1]);
    await_byte(go[0]);
    show_events("the child, when granted", set, -1);
    _exit(0);
  }
  int fd = pending_socket(&server);
  add(set, fd, EPOLLOUT, 1);
  tell(&server, "await 1");
  tell(&server, "drip 4");
  send_byte(go[1]);
  await_byte(done[0]);
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  send_byte(go[1]);
  fact("child: %d", exit_status_of_child());
  check_connected(fd, &server);
}

/* Makes the library forget the sockets that are closed. */
static void crowd(void) {
  int set = new_set();
  for (int i = 0; i < 600; ++i) {
    int fd = nonblocking_socket();
    add(set, fd, EPOLLIN, 2);
    close(fd);
  }
  close(set);
}

/* The socket is closed here while it lives on in a child: the kernel may still report it. */
TEST(closed_but_in_child) {
  struct server server = slow_server();
  int set = new_set(), go[2], fd = pending_socket(&server);
  struct epoll_event event = {0};
  if (pipe(go) != 0)
    die("pipe");
  add(set, fd, EPOLLOUT, 1);
  tell(&server, "await 1");
  pid_t child = fork();
  if (child == 0) {
    await_byte(go[0]);
    _exit(0);
  }
  close(fd);
  crowd();
  tell(&server, "drip 4");
  for (int i = 0; i < 2; ++i) {
    int count = epoll_wait(set, &event, 1, 20);
    fact("foreign data words: %d", count > 0 && event.data.u64 != 1);
    tell(&server, "grant");
  }
  send_byte(go[1]);
  fact("child: %d", exit_status_of_child());
}

enum { THREADS = 16, TURNS = 40, FIRST = 0x1234560000 };

static struct server granting;

static int crowded;

static int foreign;

static void look(void) {
  struct epoll_event ready[4];
  int count = epoll_wait(crowded, ready, 4, 1);
  for (int i = 0; i < count; ++i)
    if (ready[i].data.u64 - FIRST >= THREADS * TURNS)
      __atomic_fetch_add(&foreign, 1, __ATOMIC_RELAXED);
}

/* Registers, changes, deletes and closes in an order that differs from turn to turn. */
static void one_turn(unsigned random, uint64_t word) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (random & 1)
    add(crowded, fd, EPOLLOUT | EPOLLIN | (random & 2 ? EPOLLET : 0), word);
  reach(fd, &granting);
  if (!(random & 1))
    add(crowded, fd, EPOLLOUT | EPOLLIN | (random & 2 ? EPOLLONESHOT : 0), word);
  for (unsigned i = 0; i < (random >> 2) % 4; ++i)
    look();
  if (random & 16)
    modify(crowded, fd, EPOLLOUT, word);
  if (random & 32)
    unregister(crowded, fd);
  if (random & 64)
    look();
  close(fd);
}

static void* work(void* argument) {
  unsigned number = (uintptr_t)argument, random = number;
  for (int i = 0; i < TURNS; ++i) {
    random = random * 1103515245 + 12345;
    one_turn(random >> 8, FIRST + number * TURNS + i);
  }
  return NULL;
}

/* Sixteen threads in one set. */
TEST(threads) {
  pthread_t handles[THREADS];
  granting = slow_server();
  tell(&granting, "grant");
  crowded = new_set();
  for (uintptr_t i = 0; i < THREADS; ++i)
    pthread_create(handles + i, NULL, work, (void*)i);
  for (int i = 0; i < THREADS; ++i)
    pthread_join(handles[i], NULL);
  fact("foreign data words: %d", foreign);
}

/* A child receives the reply. Its parent, which then asks without waiting, finds the connection made. */
TEST(child_ends_handshake) {
  struct server server = slow_server();
  int set = new_set(), fd = pending_socket(&server);
  tell(&server, "await 1");
  pid_t child = fork();
  if (child == 0)
    _exit(strcmp(polled(fd, POLLOUT, -1), "OUT") != 0);
  tell(&server, "grant");
  fact("child: %d", exit_status_of_child());
  add(set, fd, EPOLLOUT, 1);
  fact("poll: %s", polled(set, POLLIN, 0));
  show_events("at once", set, 0);
  check_connected(fd, &server);
}
