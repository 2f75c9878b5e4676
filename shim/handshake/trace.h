// SPDX-License-Identifier: MIT
// What SOCKS_DEBUG=1 prints: one line for each connection of the program, with its result and the reason. When it is
// off, this costs one load for each connection.
#pragma once
#include "config/log.h"
#include "config/route.h"
#include "handshake/exchange.h"

namespace socksify::trace {

inline bool is_on() { return config().debug > 0; }

// A CONNECT or the first half of a BIND has ended: granted (0) or not (an errno).
void connect_finished(const Handshake& handshake, const Attempt& attempt, Deadline deadline, int error);

// A connect() fails before any server is asked.
void rejected(const IpPort& destination, Route why);

// The real connect().
int connect_directly(int fd, const sockaddr* address, socklen_t length);

// The second half of a BIND: `peer` called at `local`; or the server replied that nobody did, or hung up without a
// reply.
void call_accepted(Endpoint peer, Endpoint local, int fd);
void call_failed(Endpoint primary, Endpoint local, bool has_replied);

} // namespace socksify::trace
