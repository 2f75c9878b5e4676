// SPDX-License-Identifier: MIT
// CONNECTs in progress. Any thread or process that has the socket can take the next step, whether or not a connect()
// waits for the end. Each CONNECT has a slot in memory that is shared with children of fork(), as the socket is; one
// thread at a time locks the slot and takes a step.
#pragma once
#include "handshake/exchange.h"
#include "kernel/process_lock.h"
#include <atomic>

namespace socksify {

struct PendingConnect {
  std::atomic<uint64_t> identity{0}; // of the socket; 0: free
  ProcessLock lock;                  // of the thread that takes a step
  std::atomic<uint32_t> forks{0};    // forks::count() when it started
  std::atomic<bool> is_over{false};
  std::atomic<short> events{0}; // the poll() events that the next step waits for
  std::atomic<int64_t> due{0};  // see next()
  // The holder's. Nobody else may read them: they change, and another CONNECT may get the slot.
  Handshake handshake;
  Deadline deadline;
  Attempt attempt;

  // When something has to be done even if the server sends nothing; for the holder.
  Deadline limit() const { return handshake.is_unsent() && attempt.limit < deadline ? attempt.limit : deadline; }
  // The same for everybody, as of the last step.
  Deadline next() const { return Deadline::at(due.load(std::memory_order_relaxed)); }
  void publish_limit() { due.store(limit().when(), std::memory_order_relaxed); }
  // False if another thread or process has it, or if the slot belongs to another socket by now.
  bool try_lock(uint64_t socket);
  void unlock() { lock.unlock(); }
};

namespace pending {

// The number of a new slot, or -1 if there is no memory for one.
int begin(uint64_t identity, const Exchange& exchange);
PendingConnect& at(int slot);
// This process knows the result. Called by the holder; unlocks the slot.
void end(int slot);

// When to look again even if the kernel reports nothing. A reply wakes all waiting threads and processes; one of them
// may receive it before the others have looked, and they would sleep on.
Deadline next_look();

// The earliest deadline of all, or a moment before it.
Deadline next_deadline();
void add_deadline(Deadline deadline);
// Clears it. add_deadline() has to follow for each CONNECT in progress.
void clear_deadlines();

} // namespace pending
} // namespace socksify
