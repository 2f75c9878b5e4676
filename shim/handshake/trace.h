// SPDX-License-Identifier: MIT
// What SOCKS_DEBUG=1 says: one line for each connection of the program's, with what became of it and why. Where it is
// off, that costs one load for each.
#pragma once
#include "config/log.h"
#include "config/route.h"
#include "handshake/exchange.h"

namespace socksify::trace {

inline bool is_on() { return config().debug > 0; }

// A CONNECT or the first half of a BIND is over: granted (0) or not (an errno).
void connect_finished(const Handshake& handshake, const Attempt& attempt, Deadline deadline, int error);

// A connect() that fails before anybody has been asked.
void rejected(const IpPort& destination, Route why);

// connect(), of which nobody but the kernel is asked.
int connect_directly(int fd, const sockaddr* address, socklen_t length);

// The second half of a BIND: who called at `local`; or nobody, because the server said so or, without a reply, no more.
void call_accepted(Endpoint peer, Endpoint local, int fd);
void call_failed(Endpoint primary, Endpoint local, bool has_replied);

} // namespace socksify::trace
