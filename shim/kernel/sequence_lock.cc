// SPDX-License-Identifier: MIT
#include "kernel/sequence_lock.h"
#include "kernel/uninterrupted.h"
#include <ctime>
#include <sched.h>

namespace socksify {

// A write is a few stores, but on a busy machine the writer may be preempted in the middle, for a tenth of a second at
// worst.
bool SequenceLock::is_patient(int attempt) { return attempt < 3000; }

namespace {

void nap() {
  const NoCancellation short_nap;
  constexpr timespec time{0, 50'000};
  nanosleep(&time, nullptr);
}

} // namespace

// Lets the writer run.
void SequenceLock::pause_for(int attempt) {
  if (attempt < 1000)
    sched_yield();
  else
    nap();
}

bool SequenceLock::lock() {
  Uninterrupted::begin();
  for (int attempt = 0; is_patient(attempt); ++attempt) {
    uint32_t now = m_sequence.load(std::memory_order_relaxed);
    if (now % 2 == 0 && m_sequence.compare_exchange_weak(now, now + 1, std::memory_order_acquire))
      return true;
    pause_for(attempt);
  }
  Uninterrupted::end();
  return false;
}

void SequenceLock::unlock() {
  m_sequence.fetch_add(1, std::memory_order_release);
  Uninterrupted::end();
}

} // namespace socksify
