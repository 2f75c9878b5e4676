/* SPDX-License-Identifier: MIT */
/* fork() while a connection is in progress: both processes wait for it. */
#include "async/processes/processes.h"

/* Both wait for the connection that the parent began. Then the child asks for the error, and the parent after it. */
static const char* wait_for(int way, int fd) {
  return way == 0   ? polled(fd, POLLIN | POLLOUT, -1)
         : way == 1 ? (by_select(fd), "selected")
                    : events(by_epoll(fd, -1));
}

static void fork_pending(int way, const char* command) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  pipes();
  pid_t child = fork();
  if (child == 0) {
    const char* seen = wait_for(way, fd);
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
  await_sleep(child);
  tell(&server, "%s", command);
  const char* seen = wait_for(way, fd);
  fact("parent: %s", seen);
  go(to_child);
  await_go(to_parent);
  fact("parent: %s, %s", so_error(fd), peer_of(fd, &server));
  go(to_child);
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  if (strcmp(command, "grant") != 0)
    return;
  fact("parent: %s", echoes(fd));
  check_requests(&server, 1);
}

TEST(fork_granted_poll) { fork_pending(0, "grant"); }

TEST(fork_granted_select) { fork_pending(1, "grant"); }

TEST(fork_granted_epoll) { fork_pending(2, "grant"); }

TEST(fork_refused_poll) { fork_pending(0, "refuse"); }

TEST(fork_refused_select) { fork_pending(1, "refuse"); }

TEST(fork_refused_epoll) { fork_pending(2, "refuse"); }

/* Parent and child share the registration in a set that was made before fork(). */
TEST(fork_same_set) {
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
  await_sleep(child);
  tell(&server, "grant");
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  event.data.u64 = 0;
  int ready = epoll_wait(set, &event, 1, -1);
  fact("parent: %d %llx %s", ready, (unsigned long long)event.data.u64, events(event.events));
  check_connected(fd, &server);
  check_requests(&server, 1);
}
