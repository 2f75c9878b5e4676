/* SPDX-License-Identifier: MIT */
/* A program leaves a call before it is over: by siglongjmp() from a signal handler, or because its thread is cancelled.
   Nothing of the library may be left behind. */
#pragma once
#include "faults/connect.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is left has to clean up after itself, so it notes its descriptors here. */
enum { MOST_FDS = 4 };
static volatile int own_fds[MOST_FDS] = {-1, -1, -1, -1};
static __thread sigjmp_buf out;

static inline int own(int place, int fd) { return own_fds[place] = fd; }

static inline void close_own(void) {
  for (int i = 0; i < MOST_FDS; ++i) {
    if (own_fds[i] >= 0)
      close(own_fds[i]);
    own_fds[i] = -1;
  }
}

static inline void jump_out(int signal) { siglongjmp(out, signal); }

/* Returns NULL when it was left, or is over. */
static inline void* run_to_jump(void* act) {
  if (sigsetjmp(out, 1) == 0)
    ((void (*)(void))act)();
  return NULL;
}

static inline void* run_asynchronously(void* act) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  return ((void (*)(void))act)(), NULL;
}

static inline void* run_simply(void* act) { return ((void (*)(void))act)(), NULL; }

struct way_out {
  const char* name;
  int fault;
  void* (*run)(void* act);
};
static const struct way_out ways_out[] = {
    {"jump", JUMP, run_to_jump}, {"cancel", CANCEL, run_simply}, {"cancel_async", CANCEL, run_asynchronously}};

/* As the kernel has it. The handler does not return, so that there is nothing to restore. */
static inline void catch_by_number(int signal, void (*handler)(int)) {
  const struct {
    void (*handler)(int);
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } action = {handler, 0x04000000 /* SA_RESTORER */, (void*)handler, 0};
  syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof action.mask);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset() */

/* By the call that $HANDLER_BY names. */
static inline void catch_jumps(void) {
  const struct sigaction jump = {.sa_handler = jump_out};
  const char* call = getenv("HANDLER_BY");
  if (!call)
    sigaction(SIGUSR1, &jump, NULL);
  else if (strcmp(call, "signal") == 0)
    signal(SIGUSR1, jump_out);
  else if (strcmp(call, "sigset") == 0)
    sigset(SIGUSR1, jump_out);
  else
    catch_by_number(SIGUSR1, jump_out);
}

static inline void run_in_thread(void* (*run)(void* act), void (*act)(void)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, act) != 0 || pthread_join(thread, NULL) != 0)
    fail("no thread");
}

static inline void fork_once(void) {
  const pid_t child = fork();
  if (child == 0)
    _exit(0);
  waitpid(child, NULL, 0);
}

/* The thread takes signals as before, and can be cancelled. */
static inline void require_untouched_thread(void) {
  sigset_t blocked;
  int state = -1;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  for (int signal = 1; signal < SIGRTMIN; ++signal)
    if (sigismember(&blocked, signal) == 1)
      fail("signal %d is blocked", signal);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  if (state != PTHREAD_CANCEL_ENABLE)
    fail("the thread cannot be cancelled");
}
