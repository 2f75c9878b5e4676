// SPDX-License-Identifier: MIT
// Whether a server can be reached and what it speaks: SOCKS4's CONNECT and BIND, and SOCKS4A. All that it asks the
// server for is a connection to the server itself or back to us, and a call that nobody makes.
#pragma once
#include "check/report.h"
#include "check/server_address.h"

namespace socksify {

struct Wishes {
  bool names; // are resolved by the server only
  bool bind;  // is not switched off
};

void check_server(Report& report, const NamedServer& server, Wishes wishes);

} // namespace socksify
