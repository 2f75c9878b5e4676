// SPDX-License-Identifier: MIT
// Datagrams that would bypass the SOCKS server, since SOCKS4 cannot carry them: QUIC, and DNS queries that programs
// send themselves. The C library's own queries are not seen here.
#pragma once
#include <sys/socket.h>

namespace socksify::datagrams {

// The errno for sending or connecting to this address on a datagram socket, or 0: EACCES if the configuration denies
// it, EHOSTUNREACH for a fake IP, which no host has. Datagrams to loopback addresses do not leave this host, except
// queries to a DNS server there, which passes them on.
int refusal(int fd, const void* address, socklen_t length);

// True, with errno set, if refusal() is not 0. No address is never refused.
bool is_refused(int fd, const void* address, socklen_t length);

// True, with errno and h_errno set, if the C library must not query a DNS server.
bool is_query_refused();

} // namespace socksify::datagrams
