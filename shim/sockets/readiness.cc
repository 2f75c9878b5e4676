// SPDX-License-Identifier: MIT
#include "sockets/readiness.h"

namespace socksify::readiness {

void recount() {
  const uint32_t seen = binds_started.load(std::memory_order_acquire);
  if (!sockets::any_open([](const Socket& socket) { return socket.awaits_call(); }))
    binds_finished.store(seen, std::memory_order_relaxed);
}

void note_miss() {
  constexpr uint32_t many = 1024; // the program may have closed the socket, of which nobody tells us
  static constinit std::atomic<uint32_t> misses{0};
  if (misses.fetch_add(1, std::memory_order_relaxed) % many == many - 1)
    recount();
}

} // namespace socksify::readiness
