// SPDX-License-Identifier: MIT
// CONNECTs on their way, which are everybody's to take further, whether or not a connect() waits for the end. Each has
// a slot in memory that children of fork() share, because they share the socket, too: one thread of one process at a
// time holds the slot and takes the next step.
#pragma once
#include "handshake/exchange.h"
#include "kernel/process_lock.h"
#include <atomic>

namespace socksify {

struct PendingConnect {
  std::atomic<uint64_t> identity{0}; // of the socket; 0: free
  ProcessLock lock;                  // of the thread that is taking a step
  std::atomic<uint32_t> forks{0};    // forks::count() when it began
  std::atomic<bool> is_over{false};
  std::atomic<short> events{0}; // of poll(), that the next step waits for
  Handshake handshake;          // the holder's
  Deadline deadline;
  Attempt attempt;

  // When something has to be done even if nothing is heard.
  Deadline next() const { return handshake.is_unsent() && attempt.limit < deadline ? attempt.limit : deadline; }
  // False if another thread or process is at it, or if the slot is not this socket's any more.
  bool try_lock(uint64_t socket);
  void unlock() { lock.unlock(); }
};

namespace pending {

// True if there is any in this process. All that a hook asks on its fast path.
inline constinit std::atomic<int> count{0};
inline bool any() { return count.load(std::memory_order_relaxed) > 0; }

// The number of a new slot, or -1 if there is no memory for it.
int begin(uint64_t identity, const Exchange& exchange);
PendingConnect& at(int slot);
// This process has seen how it ended. The holder calls this; it is released thereby.
void end(int slot);

// When to look again, even if the kernel has nothing to tell: it wakes all who wait for a reply, but one of several
// threads or processes may have taken it before the others have looked, and they would sleep on.
Deadline next_look();

// The earliest deadline of all, or a little before it.
Deadline next_deadline();
// Begins to find it out anew: note_deadline() for all that there are has to follow.
void forget_deadlines();
void note_deadline(Deadline deadline);

} // namespace pending
} // namespace socksify
