/* SPDX-License-Identifier: MIT */
/* Each call that the server, process $SERVER_PID, makes for one client fails in turn, with every errno, by means of
   tests/preload/inject.c. The next client must be served, and the server keeps as many descriptors as before. */
#pragma once
#include "faults/fault.h"
#include "faults/server_inject/client.h"

static int usual_fds;

/* 1: served; 0: told about a failure. */
typedef int scenario(void);

static inline int server_fds(void) {
  char path[64];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%s/fd", getenv("SERVER_PID"));
  DIR* folder = opendir(path);
  if (!folder)
    return -1;
  while (readdir(folder))
    ++count;
  closedir(folder);
  return count;
}

/* The server closes its descriptors when it notices that the client has gone. */
static inline int reaches_fds(int expected) {
  for (int i = 0; i < 6000; ++i) {
    if (server_fds() <= expected)
      return 1;
    usleep(5000);
  }
  return 0;
}

/* The fewest descriptors in a while: those of a server without clients. If the server is slower than that, inject()
   lowers the number later. */
static inline int fds_at_rest(void) {
  int fewest = server_fds();
  for (int i = 0; i < 200; ++i) {
    const int now = server_fds();
    if (now < fewest) {
      fewest = now;
      i = 0;
    }
    usleep(1000);
  }
  return fewest;
}

/* A shortage lasts a fifth of a second. */
static inline void run_with_fault(scenario* run, const struct fault* fault) {
  set_fault(fault);
  problem = NULL;
  injection->until = milliseconds() + 200;
  injection->armed = 1;
  run();
  injection->armed = 0;
  faults_injected += injection->injected > 0;
}

static inline void inject(scenario* run, struct fault fault) {
  run_with_fault(run, &fault);
  if (problem)
    report_fault(problem, &fault);
  problem = NULL;
  if (!run() || problem)
    report_fault(problem ? problem : "the next client is not served", &fault);
  if (!reaches_fds(usual_fds)) {
    report_fault("descriptors are left", &fault);
    usual_fds = server_fds();
  }
  if (server_fds() < usual_fds)
    usual_fds = server_fds();
}

/* The server waits for edges. EAGAIN, or fewer bytes than there are, would break the kernel's promise. */
static inline int is_possible(enum call call, int error) {
  const int is_data = call == call_splice || call == call_recv || call == call_send;
  return !(error == EAGAIN && is_data) && !(error == SHORT && call == call_recv);
}

static inline void require_working_server(scenario* run) {
  if (!run() || problem || server_fds() < 0)
    fact("the server fails without any fault: %s", problem), exit(1);
}

static inline void count_calls(scenario* run, int made[calls]) {
  set_fault(&(struct fault){.call = calls});
  injection->armed = 1;
  run();
  reaches_fds(usual_fds); /* the server also closes descriptors after the client has gone */
  injection->armed = 0;
  memcpy(made, (void*)injection->made, sizeof(int) * calls);
}

/* A failing accept4() concerns no particular client: one scenario is enough. */
static inline void inject_all(const char* name, scenario* run, int with_accept) {
  int made[calls];
  require_working_server(run);
  usual_fds = fds_at_rest();
  count_calls(run, made);
  if (!with_accept)
    made[call_accept4] = 0;
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; ++nth)
      for (const int* error = injectables[call].errors; *error; ++error) {
        if (!is_possible(call, *error))
          continue;
        inject(run, (struct fault){.call = call, .nth = nth, .error = *error});
        if (may_last(*error) && nth == 1)
          inject(run, (struct fault){.call = call, .nth = nth, .error = *error, .lasts = 1});
      }
  report_faults(name);
}
