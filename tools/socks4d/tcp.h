// SPDX-License-Identifier: MIT
// What is done to sockets, in the words of SOCKS. Sockets are TCP over IPv4, but those of clients,
// which may be Unix sockets; all are non-blocking and close-on-exec.
#pragma once
#include "base/address.h"
#include "base/fd.h"

namespace socksify {

// A socket fit for a relay: see the reasons in sockets.cc. Sockets accepted from it inherit that.
// An empty fd and errno if descriptors are short.
Fd make_socket();

// Options of a socket for a relay, where it was made by someone else.
void prepare_socket(int fd);

// Binds to ip:port and listens.
void listen_at(int fd, Endpoint endpoint, int backlog);
// At any free port, for one caller. Most ports may be taken: it does not look for long.
void listen_for_one(int fd, uint32_t ip);

// The peer at the other end of a Unix socket is on this host; no TCP connection has a port 0.
inline constexpr Endpoint unix_peer{INADDR_LOOPBACK, 0};

struct Accepted {
  Fd fd;
  Endpoint peer;
};

// An empty fd and errno if there is none.
Accepted accept_from(int fd);

// From `source`, where that is not 0. Either under way, or false and errno.
bool start_connect(int fd, uint32_t source, Endpoint destination);
// The error, or 0, of a connection that was started.
int connect_result(int fd);

Endpoint local_endpoint(int fd);

// The address of this host that packets to `ip` leave from; 0 if there is no way.
uint32_t source_towards(uint32_t ip);
// True if `ip` is an address of this host.
bool is_own_address(uint32_t ip);

// close() will send RST and drop what was not sent yet.
void reset_at_close(int fd);

} // namespace socksify
