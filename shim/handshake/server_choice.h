// SPDX-License-Identifier: MIT
// Which SOCKS server to try next, and where it is.
#pragma once
#include "base/address.h"
#include "base/server_list.h"

namespace socksify::servers {

// The address of the server with this number in the configuration. A name is resolved when it is first needed. Nothing
// if that fails, and for a Unix socket.
std::optional<Endpoint> endpoint(int number);

// True if the server has a loopback address or is on a Unix socket.
bool is_on_this_host(int number);

// True if one of the servers is on a Unix socket.
bool any_unix();

// True if this is the address of a server, not counting those whose name is not resolved yet.
bool includes(Endpoint endpoint);

// The server to try first, or after those with a bit in `tried`: in the configuration's order, but with those last that
// could not be reached a short time ago. -1: none is left.
int next(unsigned tried);
void mark_unreached(int number);

// True if connect() failed with this errno because the server could not be reached.
bool is_unreached(int error);

} // namespace socksify::servers
