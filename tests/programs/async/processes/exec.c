/* SPDX-License-Identifier: MIT */
/* Connections that outlive exec(). */
#include "async/processes/processes.h"
#include <spawn.h>

/* The executed program: it uses the inherited connection, and makes three of its own. */
static void run_executed(const char* where, const char* number) {
  struct server server = {.control = -1};
  int fd = atoi(number);
  snprintf(server.where, sizeof server.where, "%s", where);
  if (fd >= 0)
    fact("child: %s", echoes(fd));
  fact("child: %d", one_connection(&server, 0) + one_connection(&server, 1) + one_connection(&server, 3));
}

static const char self[] = "/proc/self/exe";

/* Runs in the executed program before main(). */
__attribute__((constructor)) static void check_executed(int argc, char** argv) {
  if (argc != 4 || strcmp(argv[1], "executed") != 0)
    return;
  run_executed(argv[2], argv[3]);
  exit(0);
}

static void check_exec(int is_vfork) {
  extern char** environ;
  struct server server = slow_server(), held = slow_server();
  tell(&server, "grant");
  int pending = pending_socket(&held), fd = tcp_socket(AF_INET);
  fact("connect: %s", result(reach(fd, &server)));
  char number[16];
  snprintf(number, sizeof number, "%d", fd);
  char* words[] = {(char*)self, "executed", server.where, number, NULL};
  pid_t child;
  if (!is_vfork) {
    if ((errno = posix_spawn(&child, self, NULL, NULL, words, environ)) != 0)
      die("posix_spawn");
  } else if ((child = vfork()) == 0) {
    close(pending);
    execve(self, words, environ);
    _exit(1);
  }
  fact("child: %s", exit_status_of_child() ? "failed" : "ok");
  fact("pending: %s", polled(pending, POLLOUT, 10));
  tell(&held, "grant");
  fact("pending: %s", polled(pending, POLLOUT, -1));
  check_connected(pending, &held);
  check_connected(fd, &server);
  check_requests(&held, 1);
  check_requests(&server, 4);
}

TEST(posix_spawn) { check_exec(0); }

TEST(vfork) { check_exec(1); }
