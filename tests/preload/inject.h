/* SPDX-License-Identifier: MIT */
/* How a call of inject.c finds out whether it is to fail, and the function that it stands for. */
#pragma once
#include "faults/injectable.h"
#include <dlfcn.h>

static struct injection* injection;
static void* next[calls];

__attribute__((constructor)) static void begin(void) { injection = map_injection(); }

static void* find(enum call call) {
  if (!next[call])
    next[call] = dlsym(RTLD_NEXT, injectables[call].name);
  return next[call];
}
#define NEXT(name) ((__typeof__(&name))find(call_##name))

/* The outcome of this call: 0 (make it), an errno, SHORT or END. */
static int fault(enum call call) {
  if (!injection || !injection->armed || (injection->until && (int)(milliseconds() - injection->until) > 0))
    return 0;
  int n = __atomic_add_fetch(&injection->made[call], 1, __ATOMIC_RELAXED);
  if (call != injection->call || n < injection->nth || (n > injection->nth && !injection->lasts))
    return 0;
  __atomic_add_fetch(&injection->injected, 1, __ATOMIC_RELAXED);
  if (injection->error == JUMP || injection->error == CANCEL)
    return leave(injection->error), 0;
  return injection->error;
}

/* For calls that move no bytes. */
#define FAIL(name)                                                                                                     \
  do {                                                                                                                 \
    const int error = fault(call_##name);                                                                              \
    if (error > 0)                                                                                                     \
      return errno = error, -1;                                                                                        \
  } while (0)

/* For calls that move bytes: SHORT reduces `size` to 1, END ends the stream. */
#define FAIL_OR_CUT(name, size)                                                                                        \
  do {                                                                                                                 \
    const int error = fault(call_##name);                                                                              \
    if (error > 0)                                                                                                     \
      return errno = error, -1;                                                                                        \
    if (error == END)                                                                                                  \
      return 0;                                                                                                        \
    if (error == SHORT && size > 1)                                                                                    \
      size = 1;                                                                                                        \
  } while (0)
