// SPDX-License-Identifier: MIT
// What a BIND is ready for. To the program it is a listening socket, ready for a call and nothing else; to the kernel
// it is a connection, which is writable and can hang up. Before listen() it is a bound socket.
#pragma once
#include "sockets/registry.h"
#include <cstdint>
#include <poll.h>

namespace socksify::readiness {

inline void bind_started() { unfinished.binds_started.fetch_add(1, std::memory_order_release); }

// Finds out whether all BINDs are finished. Called when one is accepted, and now and then by awaits_call().
void recount();

// True if the socket is a BIND that awaits its call.
bool awaits_call(int fd);

inline bool is_listener(const std::optional<Socket>& socket) { return socket && socket->is_listening_bind(); }

// A BIND that was started, on a socket that does not listen yet.
inline bool is_only_bound(const std::optional<Socket>& socket) {
  return socket && socket->is<AwaitingCall>() && !socket->is_listening_bind();
}

constexpr short call_events = POLLIN | POLLRDNORM;
constexpr uint32_t impossible_events = POLLOUT | POLLWRNORM | POLLWRBAND | POLLRDBAND | POLLPRI | POLLRDHUP;

// The requested events without those that a listening socket never has. poll() and epoll use the same numbers.
constexpr uint32_t possible(uint32_t requested) { return requested & ~impossible_events; }

// The events that the program sees. A hang-up of the SOCKS server counts as a call: accept() reports it.
constexpr short reported(short requested, short answered) {
  if (answered & (POLLHUP | POLLERR))
    answered |= call_events;
  return static_cast<short>(answered & requested & call_events);
}

// The events that the program sees of a socket that is only bound: those of the kernel's TCP_CLOSE, at any time.
constexpr short reported_when_bound(short requested) {
  return static_cast<short>((requested & (POLLOUT | POLLWRNORM)) | POLLHUP);
}

} // namespace socksify::readiness
