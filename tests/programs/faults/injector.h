/* SPDX-License-Identifier: MIT */
/* Runs a scenario again and again. Each time one call that the library makes in it fails, with one errno, by means of
   tests/preload/inject.c. Each run is a child process that ends with 0 if it survived the fault. With $ONCE the
   scenario runs once, without faults, against a server that misbehaves. */
#pragma once
#include "faults/fault.h"

enum { CHILD_SECONDS = 60 };

static inline void arm(void) { injection->armed = 1; }
static inline void disarm(void) { injection->armed = 0; }

__attribute__((format(printf, 1, 2), noreturn)) static inline void fail(const char* format, ...) {
  va_list arguments;
  disarm();
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
  _exit(1);
}

static inline void require_text(const char* what, const char* got, const char* expected) {
  if (strcmp(got, expected) != 0)
    fail("%s: %s, expected %s", what, got, expected);
}

static inline void require_ok(const char* what, const char* got) { require_text(what, got, "ok"); }

static inline void require_no_more_fds(int before) {
  if (count_fds() != before)
    fail("descriptors: %d, were %d", count_fds(), before);
}

typedef void scenario(void);

static inline int run_scenario_in_child(scenario* run) {
  int status = 0;
  fflush(stdout);
  if (fork() == 0) {
    alarm(CHILD_SECONDS);
    run();
    _exit(0);
  }
  wait(&status);
  disarm();
  return status;
}

static inline void inject(const char* name, scenario* run, const struct fault* fault) {
  set_fault(fault);
  const int status = run_scenario_in_child(run);
  faults_injected += injection->injected > 0;
  if (status == 0)
    return;
  report_fault(!WIFSIGNALED(status) ? name : WTERMSIG(status) == SIGALRM ? "hang" : "crash", fault);
}

/* getsockopt() and setsockopt() with valid arguments fail only if a filter of system calls forbids them, and then
 * always. */
static inline int is_possible(const struct fault* fault) {
  const int is_option = fault->call == call_getsockopt || fault->call == call_setsockopt;
  return !is_option || (fault->nth == 1 && fault->lasts);
}

static inline void inject_once_and_lasting(const char* name, scenario* run, struct fault fault) {
  for (fault.lasts = 0; fault.lasts <= may_last(fault.error); ++fault.lasts)
    if (is_possible(&fault))
      inject(name, run, &fault);
}

/* How often the scenario makes each call, when none fails. */
static inline void count_calls(const char* name, scenario* run, int made[calls]) {
  set_fault(&(struct fault){.call = calls});
  if (run_scenario_in_child(run) != 0)
    fact("%s fails without any fault", name), exit(1);
  memcpy(made, (void*)injection->made, sizeof(int) * calls);
}

static inline void inject_all(const char* name, scenario* run) {
  int made[calls];
  count_calls(name, run, made);
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; ++nth)
      for (const int* error = injectables[call].errors; *error; ++error)
        inject_once_and_lasting(name, run, (struct fault){.call = call, .nth = nth, .error = *error});
  report_faults(name);
}

static inline void run_scenario(const char* name, scenario* run) {
  map_injection_or_exit();
  if (!getenv("ONCE"))
    return inject_all(name, run);
  alarm(CHILD_SECONDS);
  run();
}

#define SCENARIO(id)                                                                                                   \
  static void scenario_##id(void);                                                                                     \
  TEST(id) { run_scenario(#id, scenario_##id); }                                                                       \
  static void scenario_##id(void)
