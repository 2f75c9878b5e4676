// SPDX-License-Identifier: MIT
// Nothing tells the library that a socket was closed. Counters of what is unfinished therefore stay too high, and calls
// on other sockets look things up in vain. Counting those misses shows when it pays to search for closed sockets.
#pragma once
#include <atomic>

namespace socksify {

class MissCounter {
public:
  // Counts a miss. True once in `limit` misses: it is time to search.
  bool reaches(unsigned limit) {
    if (m_misses.fetch_add(1, std::memory_order_relaxed) + 1 < limit)
      return false;
    m_misses.store(0, std::memory_order_relaxed);
    return true;
  }

private:
  std::atomic<unsigned> m_misses{0};
};

} // namespace socksify
