// SPDX-License-Identifier: MIT
// Can a server be reached, and what does it speak: SOCKS4's CONNECT and BIND, and SOCKS4A? The server is only asked for
// a connection to itself or back to us, and to wait for a call that nobody makes.
#pragma once
#include "base/settings.h"
#include "check/report.h"
#include <chrono>

namespace socksify::check {

struct CheckOptions {
  bool needs_names; // only the server resolves names
  bool has_bind;    // BIND is not switched off
  std::string userid;
  std::chrono::milliseconds limit; // for each wait
};

void check_server(Report& report, const Server& server, const CheckOptions& options);

} // namespace socksify::check
