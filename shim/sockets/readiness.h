// SPDX-License-Identifier: MIT
// What a listening socket is ready for: a call, and nothing else. That of a BIND is a connection to the kernel, which
// can be written to and which hangs up. The same goes for what a BIND is ready for before it listens.
#pragma once
#include "sockets/registry.h"
#include <atomic>
#include <cstdint>
#include <poll.h>

namespace socksify::readiness {

// BINDs that this process has begun, and how many of these are known to be over. While there is a difference, whoever
// waits, reads or writes has to ask whether the socket is such a one.
inline constinit std::atomic<uint32_t> binds_started{0}, binds_finished{0};
inline bool any() {
  return binds_started.load(std::memory_order_relaxed) != binds_finished.load(std::memory_order_relaxed);
}
inline void bind_started() { binds_started.fetch_add(1, std::memory_order_release); }

// Finds out whether all are over: when a call has come, and now and then when somebody has asked for another socket.
void recount();
void note_miss();

inline bool is_listener(const std::optional<Socket>& socket) {
  return socket && socket->is_waiting() && socket->is_listening;
}

// A BIND that has begun, on a socket that does not listen yet.
inline bool is_only_bound(const std::optional<Socket>& socket) {
  return socket && socket->awaits_call() && !socket->is_listening;
}

constexpr short call_events = POLLIN | POLLRDNORM;
constexpr uint32_t impossible_events = POLLOUT | POLLWRNORM | POLLWRBAND | POLLRDBAND | POLLPRI | POLLRDHUP;

// What the program asks for, without what never comes; poll() and epoll have the same numbers.
constexpr uint32_t possible(uint32_t asked) { return asked & ~impossible_events; }

// What it is told: that the SOCKS server has hung up is for accept() to say.
constexpr short reported(short asked, short answered) {
  if (answered & (POLLHUP | POLLERR))
    answered |= call_events;
  return static_cast<short>(answered & asked & call_events);
}

// The same of a socket that is only bound: what the kernel says of TCP_CLOSE, at any time.
constexpr short reported_when_bound(short asked) {
  return static_cast<short>((asked & (POLLOUT | POLLWRNORM)) | POLLHUP);
}

} // namespace socksify::readiness
