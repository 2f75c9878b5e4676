// SPDX-License-Identifier: MIT
// Socket operations in the words of SOCKS. Sockets are TCP over IPv4, except that clients may use Unix sockets. All are
// non-blocking and close-on-exec.
#pragma once
#include "socks4d/base.h"

namespace socks4d {

// A socket with the options that a relay needs (see prepare_socket() in tcp.cc). Sockets accepted from it inherit them.
// An empty Fd and errno if descriptors are short.
Fd make_socket();

// Sets these options on a socket that someone else made.
void prepare_socket(int fd);

// Binds to ip:port and listens.
void listen_at(int fd, Endpoint endpoint, int backlog);
// Listens on any free port for a single caller.
void listen_for_one(int fd, uint32_t ip);

// The peer of a Unix socket is on this host, and no TCP connection has port 0.
inline constexpr Endpoint unix_peer{INADDR_LOOPBACK, 0};

struct Accepted {
  Fd fd;
  Endpoint peer;
};

// An empty Fd and errno if there is no connection to accept.
Accepted accept_from(int fd);

// Connects from `source`, unless that is 0. True if the connection is under way; otherwise false and errno.
bool start_connect(int fd, uint32_t source, Endpoint destination);
// The errno of a connection that was started, or 0.
int connect_result(int fd);

Endpoint local_endpoint(int fd);

// The address of this host that packets to `ip` leave from; 0 if there is no route.
uint32_t source_towards(uint32_t ip);
// True if `ip` is an address of this host. Throws Failure if that cannot be found out.
bool is_own_address(uint32_t ip);

// Makes close(2) send an RST and drop unsent bytes.
void reset_at_close(int fd);

} // namespace socks4d
