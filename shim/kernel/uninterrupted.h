// SPDX-License-Identifier: MIT
// A program may leave a call by siglongjmp() from a signal handler, or by the cancellation of its thread. Destructors
// do not run then, so each part of the library that must not be left halfway says so here.
#pragma once
#include <pthread.h>

namespace socksify {

// A short part that is finished once it has begun: signals and cancellation wait for its end. Nests. Never held during
// a wait for another host.
class Uninterrupted {
public:
  Uninterrupted() { begin(); }
  ~Uninterrupted() { end(); }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

  // The program has installed a signal handler. Before that no signal can interrupt the library, so none is blocked: a
  // blocking connect() would cost eight more system calls. An exec() removes the handlers.
  static void expect_signals();

  // The same where it is no scope.
  static void begin();
  static void end();
};

// A long wait inside such a part, which may be left after all.
class Interruptible {
public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

private:
  const int m_depth;
};

// Runs routine(argument) if the scope is left by siglongjmp() or cancellation. The routine has to be safe in signal
// handlers.
class OnLeaving {
public:
  using Routine = void (*)(void* argument);
  OnLeaving(Routine routine, void* argument);
  ~OnLeaving();
  OnLeaving(const OnLeaving&) = delete;
  OnLeaving& operator=(const OnLeaving&) = delete;

private:
  _pthread_cleanup_buffer m_buffer;
};

// For calls that wait although POSIX has no cancellation point in them: their C++ callers cannot be unwound.
class NoCancellation {
public:
  NoCancellation();
  ~NoCancellation();
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

private:
  int m_before = PTHREAD_CANCEL_ENABLE;
  const OnLeaving m_leaving;
};

} // namespace socksify
