// SPDX-License-Identifier: MIT
// Counts of what is unfinished in this process: all that a hook reads on its fast path, side by side in one cache line.
#pragma once
#include <atomic>
#include <cstdint>

namespace socksify {

struct Unfinished {
  std::atomic<int> connects{0}; // CONNECTs in progress
  // BINDs that this process has started, and how many of them are known to be finished. While the two differ, every
  // wait, read and write has to ask whether its socket awaits a call.
  std::atomic<uint32_t> binds_started{0}, binds_finished{0};
  // About how many failed CONNECTs the program has not heard of. While there are any, every read and write has to ask.
  std::atomic<int> errors{0};
  // Epoll registrations that are masked in the kernel, and how many times one was unmasked.
  std::atomic<int> masked{0};
  std::atomic<uint32_t> times_unmasked{0};
};

alignas(64) inline constinit Unfinished unfinished;

// True if a CONNECT is in progress in this process.
inline bool any_connecting() { return unfinished.connects.load(std::memory_order_relaxed) > 0; }

// True if a BIND may be awaiting its call.
inline bool any_awaiting_call() {
  return unfinished.binds_started.load(std::memory_order_relaxed) !=
         unfinished.binds_finished.load(std::memory_order_relaxed);
}

// True if the program may have a failed CONNECT to hear of.
inline bool any_unreported() { return unfinished.errors.load(std::memory_order_relaxed) > 0; }

} // namespace socksify
