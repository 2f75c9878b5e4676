// SPDX-License-Identifier: MIT
// TCP sockets, as the kernel sees them. These functions keep errno unless they say otherwise.
#pragma once
#include "base/address.h"
#include <optional>

namespace socksify {

// A connect() that does not block, even on a blocking socket; it does block if TCP Fast Open is switched off on this
// system. Returns 0, or -1 with errno.
int connect_nonblocking(int fd, const SocketAddress& address);

// Disconnects the socket (connect() to AF_UNSPEC). It keeps its options and, if the program bound it, its local port.
void dissolve_connection(int fd);

// Reads and thereby clears SO_ERROR. Returns an errno, or 0.
int consume_socket_error(int fd);

// Sets SO_RCVLOWAT: the socket becomes readable when this many bytes are there.
void set_low_water_mark(int fd, int bytes);

// TCP_CLOSE (a fresh socket), TCP_ESTABLISHED, ...; nullopt if this is not a TCP socket; unknown_tcp_state if the
// kernel does not tell.
inline constexpr int unknown_tcp_state = 0; // the kernel's states begin at 1
std::optional<int> tcp_state(int fd);

// AF_INET, AF_INET6, ...
int domain_of(int fd);

} // namespace socksify
