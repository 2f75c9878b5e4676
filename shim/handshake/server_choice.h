// SPDX-License-Identifier: MIT
// The SOCKS servers, in the order in which they are tried: where they are.
#pragma once
#include "base/address.h"
#include "base/server_list.h"

namespace socksify {

namespace servers {

// The address of the configuration's server of this number; a name is resolved at its first use. Nothing if that fails,
// and for a Unix socket.
std::optional<Endpoint> endpoint(int number);

// True if any is on a Unix socket.
bool any_unix();

// True for the address of any that is known without asking.
bool includes(Endpoint endpoint);

// The one to try first, or after those whose bits are set in `tried`: in the order of the configuration, but those that
// could not be reached a short time ago come last. -1: there is none left.
int next(unsigned tried);
void note_unreached(int number);

// True if an errno of a connection that has never stood says that the server could not be reached.
bool is_unreached(int error);

} // namespace servers
} // namespace socksify
