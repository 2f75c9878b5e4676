/* SPDX-License-Identifier: MIT */
/* fork(), after which one of the two closes the connection, ends, or uses it alone. */
#include "async/processes/processes.h"

TEST(fork_child_only) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pid_t child = fork();
  if (child == 0) {
    fact("child: %s", polled(fd, POLLOUT, -1));
    check_connected(fd, &server);
    exit(0);
  }
  await_sleep(child);
  tell(&server, "grant");
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  fact("parent: %s", polled(fd, POLLOUT, 0));
  check_connected(fd, &server);
  check_requests(&server, 1);
}

TEST(fork_child_gone) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  if (fork() == 0) {
    fact("child: %s", polled(fd, POLLOUT, 10));
    exit(0);
  }
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  fact("parent: %s", polled(fd, POLLOUT, 10));
  tell(&server, "grant");
  fact("parent: %s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
  check_requests(&server, 1);
}

TEST(fork_child_killed) {
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
  check_connected(fd, &server);
  check_requests(&server, 1);
}

/* The child closes it and makes a connection of its own. */
TEST(fork_child_closes) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server);
  tell(&other, "grant");
  if (fork() == 0) {
    close(fd);
    exit(!one_connection(&other, 1));
  }
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  fact("parent: %s", polled(fd, POLLOUT, 10));
  tell(&server, "grant");
  fact("parent: %s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
  check_requests(&server, 1);
  check_requests(&other, 1);
}

TEST(fork_parent_closes) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pipes();
  if (fork() == 0) {
    await_go(to_child);
    fact("child: %s", polled(fd, POLLOUT, 10));
    go(to_parent);
    fact("child: %s", polled(fd, POLLOUT, -1));
    check_connected(fd, &server);
    exit(0);
  }
  close(fd);
  go(to_child);
  await_go(to_parent);
  tell(&server, "grant");
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  check_requests(&server, 1);
}

TEST(fork_connected) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  if (fork() == 0) {
    fact("child: %s", polled(fd, POLLOUT, 0));
    check_connected(fd, &server);
    fact("child: %s", result(reach(fd, &server)));
    close(fd);
    exit(!one_connection(&server, 3));
  }
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  fact("parent: %s", polled(fd, POLLOUT, 0));
  check_connected(fd, &server);
  check_requests(&server, 2);
}

/* fork() while other threads connect. */
static const struct server* granting;

static volatile int is_over;

static void* until_over(void* argument) {
  for (int i = (intptr_t)argument; !is_over; ++i)
    one_connection(granting, i % 4);
  return NULL;
}

TEST(fork_loop) {
  struct server server = slow_server();
  pthread_t handles[4];
  int good = 0, status;
  granting = &server;
  tell(&server, "grant");
  for (intptr_t i = 0; i < 4; ++i)
    pthread_create(handles + i, NULL, until_over, (void*)i);
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
