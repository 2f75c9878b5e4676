/* SPDX-License-Identifier: MIT */
/* Lets every call that the library makes in a scenario fail in turn, with every errno, by means of
   tests/preload/inject.c: each in a child of its own, which ends with 0 if all was as it ought to be. */
#pragma once
#include "net.h"
#include "faults/inject.h"

static struct injection* injection;
static const int patience = 60; /* seconds for a child */

static void arm(void) { injection->armed = 1; }
static void disarm(void) { injection->armed = 0; }

__attribute__((format(printf, 1, 2), noreturn)) static void wrong(const char* format, ...) {
  va_list arguments;
  disarm();
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
  _exit(1);
}

static void expect_ok(const char* what, const char* got) {
  if (strcmp(got, "ok") != 0)
    wrong("%s: %s", what, got);
}

typedef void scenario(void);

static int in_child(scenario* run) {
  int status = 0;
  fflush(stdout);
  if (fork() == 0) {
    alarm(patience);
    run();
    _exit(0);
  }
  wait(&status);
  disarm();
  return status;
}

static int injected, failed;

static void inject(const char* name, scenario* run, enum call call, int nth, int error, int lasts) {
  memset((void*)injection, 0, sizeof *injection);
  injection->call = call;
  injection->nth = nth;
  injection->error = error;
  injection->lasts = lasts;
  const int status = in_child(run);
  injected += injection->injected > 0;
  if (status == 0)
    return;
  ++failed;
  fact("  ^ %s: %s number %d%s: %s%s", name, injectables[call].name, nth, lasts ? " and later" : "", fault_text(error),
       WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM ? ": HANGS" : ": CRASHES" : "");
}

/* An option of a socket that is right can be asked for and set, unless a filter of system calls forbids it: then from
   the first time on. */
static int is_possible(enum call call, int nth, int lasts) {
  return (call != call_getsockopt && call != call_setsockopt) || (nth == 1 && lasts);
}

static void inject_all(const char* name, scenario* run) {
  int made[calls];
  memset((void*)injection, 0, sizeof *injection);
  injection->call = calls;
  if (in_child(run) != 0)
    fact("%s fails without any fault", name), exit(1);
  memcpy(made, (void*)injection->made, sizeof made);
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; ++nth)
      for (const int* error = injectables[call].errors; *error; ++error) {
        if (is_possible(call, nth, 0))
          inject(name, run, call, nth, *error, 0);
        if (may_last(*error) && is_possible(call, nth, 1))
          inject(name, run, call, nth, *error, 1);
      }
}

struct named_scenario {
  const char* name;
  scenario* run;
};

/* The status to exit with: 0 if all faults of the scenario were survived, and there were some. */
static int inject_by_name(const struct named_scenario* scenarios, size_t count, const char* name, int once) {
  injection = map_injection();
  if (!injection)
    fact("INJECT is no file: %s", strerrorname_np(errno)), exit(2);
  for (size_t i = 0; i < count; ++i)
    if (strcmp(name, scenarios[i].name) == 0) {
      if (once)
        alarm(patience), scenarios[i].run(), exit(0);
      inject_all(name, scenarios[i].run);
    }
  fact("%s: %d faults injected, %d not survived", name, injected, failed);
  return failed || !injected;
}
