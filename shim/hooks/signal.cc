// SPDX-License-Identifier: MIT
// The calls that install a signal handler. They only tell the library that there is one: without handlers, nothing can
// interrupt it, and it need not block signals.
#include "kernel/real.h"
#include "kernel/uninterrupted.h"
#include <csignal>

using namespace socksify;

namespace {

bool is_function(sighandler_t handler) { return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_HOLD; }

void note(sighandler_t handler) {
  if (is_function(handler))
    Uninterrupted::expect_signals();
}

} // namespace

HOOK int sigaction(int signal, const struct sigaction* action, struct sigaction* previous) noexcept {
  if (action) // libc itself reads it
    note(action->sa_handler);
  return REAL(sigaction)(signal, action, previous);
}
HOOK int __sigaction(int signal, const struct sigaction* action, struct sigaction* previous) noexcept
    __attribute__((alias("sigaction")));

HOOK sighandler_t signal(int signal, sighandler_t handler) noexcept {
  note(handler);
  return REAL(signal)(signal, handler);
}
HOOK sighandler_t bsd_signal(int signal, sighandler_t handler) noexcept __attribute__((alias("signal")));
HOOK sighandler_t ssignal(int signal, sighandler_t handler) noexcept __attribute__((alias("signal")));

HOOK sighandler_t sysv_signal(int signal, sighandler_t handler) noexcept {
  note(handler);
  return REAL(sysv_signal)(signal, handler);
}
HOOK sighandler_t __sysv_signal(int signal, sighandler_t handler) noexcept __attribute__((alias("sysv_signal")));

// Stands for sigset(), which is deprecated, as a type. Never called.
extern "C" sighandler_t like_sigset(int signal, sighandler_t handler) noexcept;

HOOK sighandler_t sigset(int signal, sighandler_t handler) noexcept {
  note(handler);
  return next_definition<&like_sigset>("sigset")(signal, handler);
}
