// SPDX-License-Identifier: MIT
// Which way a connection goes: a pure function of the configuration and the destination.
#pragma once
#include "config/config.h"

namespace socksify {

enum class Route {
  direct,      // the real connect()
  proxy,       // through the SOCKS server
  unreachable, // IPv6, which SOCKS4 does not have: ENETUNREACH, so that programs fall back to IPv4
  denied,      // the configuration could not be understood: EACCES, never a direct connection
};

Route route(const Config& config, const IpPort& destination);

// True for a name whose connections are direct, so that this host has to resolve it.
bool is_direct_name(const Config& config, std::string_view name);

} // namespace socksify
