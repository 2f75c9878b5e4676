// SPDX-License-Identifier: MIT
// What would bypass the SOCKS server, since SOCKS4 carries TCP only: datagrams (QUIC, and DNS queries that programs
// send themselves), raw and packet sockets, and TCP to a DNS server on this host, which passes queries on. The C
// library's own queries are not seen here.
#pragma once
#include <atomic>
#include <sys/socket.h>

namespace socksify::datagrams {

// True, with errno set, if connect() to this address would bypass the server: EACCES if the configuration denies it,
// EHOSTUNREACH for a fake IP, which no host has. What is sent to loopback addresses does not leave this host, except
// queries to a DNS server there.
bool is_connect_refused(int fd, const sockaddr* address, socklen_t length);

// The same for sending; null: to the peer that the socket is connected to. The program may have inherited it so.
bool is_send_refused(int fd, const void* address, socklen_t length);

// Sending without an address is watched only if the configuration asks for it: a relaxed load for every write().
inline constinit std::atomic<bool> watches_peers{false};

inline bool is_send_refused(int fd) {
  return watches_peers.load(std::memory_order_relaxed) && is_send_refused(fd, nullptr, 0);
}

// True, with errno and h_errno set, if the C library must not query a DNS server.
bool is_query_refused();

} // namespace socksify::datagrams
