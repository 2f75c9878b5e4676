// SPDX-License-Identifier: MIT
// BIND: bind(), getsockname(), listen() and accept() of a program that expects its application server to call back. The
// listening fd *is* the connection to the SOCKS server: it becomes readable when the second reply comes, so that every
// way of waiting works by itself.
#pragma once
#include "sockets/registry.h"

namespace socksify {

// Remembers a bind() that may become a BIND. False: it is a plain local bind().
bool remember_bind(int fd, const IpPort& requested, int family);

// The real bind(), to the program's address; to any address of this host if that one belongs to the SOCKS server. 0 or
// an errno.
[[nodiscard]] int bind_locally(int fd, Endpoint requested, int family);

// For a connect() after bind(), which makes it source-port binding: undoes a BIND and binds for real. 0 or an errno.
[[nodiscard]] int bind_for_connect(int fd, sockets::Identity key, const Socket& socket);

// Makes the BIND request of a bound socket, if that is not done yet; socket.local() is known then. 0 or an errno.
[[nodiscard]] int start_bind(int fd, Socket& socket);

// listen() without bind(), which counts as bound to 0.0.0.0:0. False: it is a plain local listen().
bool bind_by_listening(int fd);

// listen() on a bound socket. 0 or an errno.
[[nodiscard]] int start_listening(int fd, Socket& socket);

// shutdown() of a socket that awaits a call, or has had it. 0 or an errno.
[[nodiscard]] int shut_down_bind(int fd, const Socket& socket, int how);

// connect(AF_UNSPEC) on a socket that is bound or listens.
void dissolve_bind(int fd, const Socket& socket);

// What accept() returns: a new fd and its peer, or an errno.
struct Call {
  int fd = -1;
  int error = 0;
  int family = AF_INET;
  Endpoint peer{};
};

// accept() on the listening socket of a BIND; nothing if it is no BIND, or no longer. `flags` are accept4's.
std::optional<Call> accept_call(int fd, int flags);

// Makes sure of the address that getsockname() reports for a CONNECT. An FTP client may announce it, with the port of a
// BIND: if the reply had no address, a BIND that nobody calls shows it.
void learn_address(int fd, Socket& socket);

} // namespace socksify
