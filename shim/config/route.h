// SPDX-License-Identifier: MIT
// Decides which way a connection goes, from the configuration and the destination.
#pragma once
#include "config/config.h"

namespace socksify {

enum class Route {
  direct,      // by the real connect()
  proxy,       // through the SOCKS server
  unreachable, // IPv6, which SOCKS4 lacks: ENETUNREACH, so that programs fall back to IPv4
  denied,      // the configuration has a mistake: EACCES, never a direct connection
};

Route route(const Config& config, const IpPort& destination);

// True for a name that NO_PROXY matches. This host has to resolve it.
bool is_direct_name(const Config& config, std::string_view name);

} // namespace socksify
