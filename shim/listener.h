// SPDX-License-Identifier: MIT
// What a listening socket is ready for: a call, and nothing else. That of a BIND is a connection to the kernel, which
// can be written to and which hangs up.
#pragma once
#include "sockets.h"
#include <atomic>
#include <cstdint>
#include <poll.h>

namespace socksify::listener {

// True from the first BIND of this process on: then a wait has to ask whether it waits for one.
inline constinit std::atomic<bool> ever{false};
inline bool any() { return ever.load(std::memory_order_relaxed); }

inline bool is_listener(const std::optional<Socket>& socket) {
  return socket && socket->is_waiting() && socket->is_listening;
}

constexpr short calls = POLLIN | POLLRDNORM;
constexpr uint32_t never = POLLOUT | POLLWRNORM | POLLWRBAND | POLLRDBAND | POLLPRI | POLLRDHUP;

// What the program asks for, without what never comes; poll() and epoll have the same numbers.
constexpr uint32_t possible(uint32_t asked) { return asked & ~never; }

// What it is told: that the SOCKS server has hung up is for accept() to say.
constexpr short told(short asked, short answered) {
  if (answered & (POLLHUP | POLLERR))
    answered |= calls;
  return static_cast<short>(answered & asked & calls);
}

} // namespace socksify::listener
