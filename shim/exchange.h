// SPDX-License-Identifier: MIT
// From a fresh socket of the program's to a granted request: connect to the SOCKS server, then the handshake.
#pragma once
#include "socks4.h"

namespace socksify {

// What came of it. The endpoint is the reply's, with the server's IP where the reply says 0 ("the client
// should replace it with the IP address of the SOCKS server").
struct Granted {
  int error = 0; // an errno; 0: granted
  Endpoint endpoint{};
};

// Connects the program's fd to the SOCKS server and makes the request, waiting as long as the configuration
// allows. After a failure the socket is unconnected again, as it was, and can be used for another connect().
// errno stays as it was.
[[nodiscard]] Granted exchange(int fd, int family, const socks4::Request& request);

// Takes the connection off the socket, which keeps its options and, if the program bound it, its local port.
void disconnect(int fd);

// The socket's state if it speaks TCP (TCP_CLOSE: fresh), else nothing.
std::optional<int> tcp_state(int fd);

} // namespace socksify
