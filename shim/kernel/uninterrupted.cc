// SPDX-License-Identifier: MIT
#include "kernel/uninterrupted.h"
#include <atomic>
#include <csignal>
#include <initializer_list>

// glibc's list of what to run when a thread is cancelled. Unlike the list of <pthread.h>, it is also run by
// longjmp().
extern "C" {
void _pthread_cleanup_push(_pthread_cleanup_buffer* buffer, void (*routine)(void*), void* argument);
void _pthread_cleanup_pop(_pthread_cleanup_buffer* buffer, int execute);
}

namespace socksify {
namespace {

// Of this thread, which signals cannot interrupt while depth > 0.
struct Held {
  int depth = 0; // how many Uninterrupted there are
  int cancel_state = PTHREAD_CANCEL_ENABLE;
  bool has_blocked = false;
  sigset_t signals{};
};
[[gnu::tls_model("initial-exec")]] constinit thread_local Held held;

// A signal that the thread itself causes by a fault would kill the program if it were blocked.
sigset_t signals_from_elsewhere() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&signals, signal);
  return signals;
}

constinit std::atomic<bool> has_handlers{false};

void block_signals() {
  const sigset_t signals = signals_from_elsewhere();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  held.signals = before;
}

void hold() {
  const bool block = has_handlers.load(std::memory_order_relaxed);
  if (block)
    block_signals();
  held.has_blocked = block;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &held.cancel_state);
}

// What has been waiting happens here.
void let_go() {
  const bool has_blocked = held.has_blocked;
  const sigset_t signals = held.signals;
  pthread_setcancelstate(held.cancel_state, nullptr);
  if (has_blocked)
    pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

} // namespace

void Uninterrupted::expect_signals() { has_handlers.store(true, std::memory_order_relaxed); }

void Uninterrupted::begin() {
  if (held.depth == 0)
    hold();
  ++held.depth;
}

void Uninterrupted::end() {
  if (--held.depth == 0)
    let_go();
}

Interruptible::Interruptible() : m_depth(held.depth) {
  held.depth = 0;
  if (m_depth > 0)
    let_go();
}

Interruptible::~Interruptible() {
  if (m_depth > 0)
    hold();
  held.depth = m_depth;
}

OnLeaving::OnLeaving(Routine routine, void* argument) { _pthread_cleanup_push(&m_buffer, routine, argument); }

OnLeaving::~OnLeaving() { _pthread_cleanup_pop(&m_buffer, 0); }

NoCancellation::NoCancellation()
    : m_leaving([](void* before) { pthread_setcancelstate(*static_cast<int*>(before), nullptr); }, &m_before) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &m_before);
}

NoCancellation::~NoCancellation() { pthread_setcancelstate(m_before, nullptr); }

} // namespace socksify
