// SPDX-License-Identifier: MIT
// What the kernel knows of a TCP socket. Every function leaves errno alone unless it says otherwise.
#pragma once
#include "base/address.h"
#include <optional>

namespace socksify {

// A connect() that never blocks, whatever the socket's flags say, unless TCP Fast Open is switched off in this system.
// 0, or -1 with errno.
int connect_nonblocking(int fd, const SocketAddress& address);

// Dissolves the connection (connect() to AF_UNSPEC). The socket keeps its options and, if the program bound it, its
// local port.
void dissolve_connection(int fd);

// Reads SO_ERROR, which clears it. An errno, or 0.
int consume_socket_error(int fd);

// SO_RCVLOWAT: the socket is readable from this many bytes on.
void set_low_water_mark(int fd, int bytes);

// TCP_CLOSE (a fresh socket), TCP_ESTABLISHED, ...; nothing if the socket does not speak TCP; unknown_tcp_state if the
// kernel will not say.
inline constexpr int unknown_tcp_state = 0; // the kernel's states begin at 1
std::optional<int> tcp_state(int fd);

// AF_INET, AF_INET6, ...
int domain_of(int fd);

} // namespace socksify
