// SPDX-License-Identifier: MIT
// BIND: bind(), getsockname(), listen() and accept() of a program that waits for a call-back from its
// application server. The listening fd *is* the connection to the SOCKS server, so that it becomes readable
// when the second reply comes and every way of waiting works by itself.
#pragma once
#include "sockets/registry.h"

namespace socksify {

// Remembers a bind() that may become a BIND. False: it is a plain local one.
bool remember_bind(int fd, const IpPort& requested, int family);

// The real bind(), for the program's address or, where that is one that only the SOCKS server has, for any of
// this host. 0 or an errno.
[[nodiscard]] int bind_locally(int fd, Endpoint requested, int family);

// A connect() follows the bind(): that was source-port binding. Takes a BIND back and binds for real. 0 or an
// errno.
[[nodiscard]] int bind_for_connect(int fd, sockets::Identity key, const Socket& socket);

// Makes the BIND request of a bound socket if that is still to be done: from now on `socket.local` is known.
// 0 or an errno.
[[nodiscard]] int start_bind(int fd, Socket& socket);

// listen() on a socket that was never bound counts as bound to 0.0.0.0:0. False: it is a plain local one.
bool bind_by_listening(int fd);

// listen() on a bound socket. 0 or an errno.
[[nodiscard]] int start_listening(int fd, Socket& socket);

// shutdown() of a socket whose BIND has been made: 0 or an errno.
[[nodiscard]] int shut_down_bind(int fd, Socket socket, int how);

// What accept() returns: a new fd and its peer, or an errno.
struct Call {
  int fd = -1;
  int error = 0;
  int family = AF_INET;
  Endpoint peer{};
};

// accept() on the listening socket of a BIND; nothing if it is not one (any more). `flags` are accept4's.
std::optional<Call> accept_call(int fd, int flags);

} // namespace socksify
