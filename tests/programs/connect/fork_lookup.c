/* SPDX-License-Identifier: MIT */
/* One thread's connect() to $DESTINATION looks up the user's name (tests/preload/passwd.c) when the main thread calls
   fork(). The child inherits the lock of the look-up, and must connect all the same. */
#include "testing.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

static const char* connect_once(void) {
  return result(connect_to(socket(AF_INET, SOCK_STREAM, 0), getenv("DESTINATION"), AF_INET));
}

static void* connect_in_thread(void* unused) {
  (void)unused;
  return (void*)connect_once();
}

TEST(fork_in_look_up) {
  volatile int *look_up_begun = dlsym(RTLD_DEFAULT, "look_up_begun"), *is_forking = dlsym(RTLD_DEFAULT, "is_forking");
  pthread_t thread;
  void* outcome;
  pthread_create(&thread, NULL, connect_in_thread, NULL);
  while (!*look_up_begun)
    sched_yield();
  *is_forking = 1;
  if (fork() == 0) {
    alarm(60);
    EXPECT_TEXT(connect_once(), "ok");
    _exit(failed_expectations);
  }
  EXPECT_INT(exit_status_of_child(), 0);
  pthread_join(thread, &outcome);
  EXPECT_TEXT((const char*)outcome, "ok");
}
