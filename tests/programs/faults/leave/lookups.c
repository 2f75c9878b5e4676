/* SPDX-License-Identifier: MIT */
/* connect() is left while the library looks up the user's name or its server's (tests/preload/nss_asks.c). A fork waits
   a second at most for look-ups: it must not wait for one that was left. */
#include "faults/leave/leave.h"

enum { FORKS = 100 }; /* too many for the time limit, if each waited */

static int begun; /* readable when the look-up has begun */

static void connect_once(void) {
  const int fd = own(0, tcp_socket(AF_INET));
  require_ok("connect", result(connect_to(fd, getenv("DESTINATION"), AF_INET)));
  require_ok("conversation", converse(fd));
}

static void require_nothing_left(void) {
  close_own();
  for (int i = 0; i < FORKS; ++i)
    fork_once();
  connect_once();
  close_own();
  run_in_thread(run_simply, connect_once);
  close_own();
  require_untouched_thread();
}

static void announce(void) {
  int ends[2];
  char number[16];
  map_injection_or_exit();
  if (pipe(ends) != 0)
    die("pipe");
  begun = ends[0];
  snprintf(number, sizeof number, "%d", ends[1]);
  setenv("LOOKUP_BEGUN", number, 1);
}

static void await_look_up(void) {
  char byte;
  if (read(begun, &byte, 1) != 1)
    die("read");
}

static void* jump_when_begun(void* target) {
  await_look_up();
  pthread_kill(*(pthread_t*)target, SIGUSR1);
  return NULL;
}

/* The thread goes on itself. */
TEST(jump_from_look_up) {
  pthread_t self = pthread_self(), other;
  announce();
  catch_jumps();
  alarm(CHILD_SECONDS);
  pthread_create(&other, NULL, jump_when_begun, &self);
  run_to_jump(connect_once);
  pthread_join(other, NULL);
  require_nothing_left();
}

static void cancel_in_look_up(void* (*run)(void* act)) {
  pthread_t thread;
  announce();
  alarm(CHILD_SECONDS);
  pthread_create(&thread, NULL, run, connect_once);
  await_look_up();
  pthread_cancel(thread);
  pthread_join(thread, NULL);
  require_nothing_left();
}

TEST(cancel_look_up) { cancel_in_look_up(run_simply); }
TEST(cancel_look_up_async) { cancel_in_look_up(run_asynchronously); }

static const char* volatile connected_in_handler, * volatile conversation_in_handler;

/* Jumps, because the look-up would wait for ever. */
static void connect_and_jump(int signal) {
  const int fd = own(1, tcp_socket(AF_INET));
  connected_in_handler = result(connect_to(fd, getenv("DESTINATION"), AF_INET));
  conversation_in_handler = strcmp(connected_in_handler, "ok") == 0 ? converse(fd) : "none";
  siglongjmp(out, signal);
}

static void handle_in_look_up(void) {
  const struct sigaction action = {.sa_handler = connect_and_jump};
  pthread_t self = pthread_self(), other;
  announce();
  sigaction(SIGUSR1, &action, NULL);
  alarm(CHILD_SECONDS);
  pthread_create(&other, NULL, jump_when_begun, &self);
  run_to_jump(connect_once);
  pthread_join(other, NULL);
}

/* A signal handler connects in the middle of the look-up: through the server, or not at all if its address is what is
   looked up. */
TEST(handler_in_look_up_of_user) {
  handle_in_look_up();
  require_ok("connect in the handler", connected_in_handler);
  require_ok("conversation in the handler", conversation_in_handler);
  require_nothing_left();
}
TEST(handler_in_look_up_of_server) {
  handle_in_look_up();
  EXPECT_TEXT(connected_in_handler, "EHOSTUNREACH");
  require_nothing_left();
}

/* The module connects, too. */
TEST(connect_in_look_up) {
  map_injection_or_exit();
  alarm(CHILD_SECONDS);
  connect_once();
}
