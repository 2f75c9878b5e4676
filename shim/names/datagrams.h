// SPDX-License-Identifier: MIT
// Datagrams that would leave this host past the SOCKS server, which has no way for them: programs that ask a DNS server
// themselves, and QUIC. What the C library itself sends does not come by here.
#pragma once
#include <sys/socket.h>

namespace socksify::leak {

// 0, or the errno for a datagram, or a connection for datagrams, to this address: EACCES if the configuration says so;
// EHOSTUNREACH to a stand-in, which is nobody's address. Loopback addresses do not leave this host, but a DNS server
// there asks on.
int refusal(int fd, const void* address, socklen_t length);

// True if there is one, with errno.
bool is_refused(int fd, const void* address, socklen_t length);

// True if the C library is not to ask a DNS server, with errno and h_errno.
bool is_query_refused();

} // namespace socksify::leak
