// SPDX-License-Identifier: MIT
// CONNECT: what becomes of a connect().
#pragma once
#include "route.h"
#include "sockets.h"

namespace socksify {

// The way of a connect() with this address. What is no TCP socket, or connected already, is left to the kernel: direct.
Route route_of(int fd, const sockaddr* address, socklen_t length);

// 0 or an errno. EINPROGRESS and EINTR: the CONNECT is on its way, as the kernel's own connection would be.
// `key` is the socket's identity, or 0 where that has not been asked for yet; `at_once` never waits.
[[nodiscard]] int connect_through(int fd, sockets::Identity key, int family, Endpoint destination,
                                  bool at_once = false);

// connect() on a socket of which something is remembered: 0 or the errno that the kernel gives then; nothing if the
// socket is free for a new connection.
[[nodiscard]] std::optional<int> connect_again(int fd, sockets::Identity key, bool at_once = false);

} // namespace socksify
