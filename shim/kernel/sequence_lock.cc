// SPDX-License-Identifier: MIT
#include "kernel/sequence_lock.h"
#include <ctime>
#include <sched.h>

namespace socksify {
namespace {

// How many locks this thread holds. In a signal handler, not 0 means that the handler interrupted a writer.
[[gnu::tls_model("initial-exec")]] thread_local int held = 0;

} // namespace

// A write is a few stores, but on a busy machine the writer may be preempted in the middle, for a tenth of a second at
// worst. If this very thread is the interrupted writer, a longer wait does not help.
bool SequenceLock::is_patient(int attempt) { return attempt < (held == 0 ? 3000 : 1000); }

// Lets the writer run.
void SequenceLock::pause_for(int attempt) {
  constexpr timespec nap{0, 50'000};
  if (attempt < 1000)
    sched_yield();
  else
    nanosleep(&nap, nullptr);
}

bool SequenceLock::lock() {
  for (int attempt = 0; is_patient(attempt); ++attempt) {
    uint32_t now = m_sequence.load(std::memory_order_relaxed);
    if (now % 2 == 0 && m_sequence.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) {
      ++held;
      return true;
    }
    pause_for(attempt);
  }
  return false;
}

void SequenceLock::unlock() {
  m_sequence.fetch_add(1, std::memory_order_release);
  --held;
}

} // namespace socksify
