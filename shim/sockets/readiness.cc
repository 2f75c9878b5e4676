// SPDX-License-Identifier: MIT
#include "sockets/readiness.h"
#include "sockets/miss_counter.h"

namespace socksify::readiness {

void recount() {
  const uint32_t seen = unfinished.binds_started.load(std::memory_order_acquire);
  if (!sockets::any_open([](const Socket& socket) { return socket.is<AwaitingCall>(); }))
    unfinished.binds_finished.store(seen, std::memory_order_relaxed);
}

bool awaits_call(int fd) {
  static constinit MissCounter misses;
  if (!any_awaiting_call())
    return false;
  const auto socket = sockets::lookup_fd(fd);
  if (socket && socket->is<AwaitingCall>())
    return true;
  if (misses.reaches(1024))
    recount();
  return false;
}

} // namespace socksify::readiness
