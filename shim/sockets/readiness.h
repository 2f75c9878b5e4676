// SPDX-License-Identifier: MIT
// What a listening socket is ready for: a call, and nothing else. That of a BIND is a connection to the kernel, which
// can be written to and which hangs up. The same goes for what a BIND is ready for before it listens.
#pragma once
#include "sockets/registry.h"
#include <atomic>
#include <cstdint>
#include <poll.h>

namespace socksify::listener {

// BINDs that this process has begun, and how many of these are known to be over. While there is a difference, whoever
// waits, reads or writes has to ask whether the socket is such a one.
inline constinit std::atomic<uint32_t> begun{0}, over{0};
inline bool any() { return begun.load(std::memory_order_relaxed) != over.load(std::memory_order_relaxed); }
inline void note_begun() { begun.fetch_add(1, std::memory_order_release); }

// Finds out whether all are over: when a call has come, and now and then when somebody has asked for another socket.
void look();
void note_miss();

inline bool is_listener(const std::optional<Socket>& socket) {
  return socket && socket->is_waiting() && socket->is_listening;
}

// A BIND that has begun, on a socket that does not listen yet.
inline bool is_only_bound(const std::optional<Socket>& socket) {
  return socket && socket->awaits_call() && !socket->is_listening;
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

// The same of a socket that is only bound: what the kernel says of TCP_CLOSE, at any time.
constexpr short told_of_bound(short asked) { return static_cast<short>((asked & (POLLOUT | POLLWRNORM)) | POLLHUP); }

} // namespace socksify::listener
