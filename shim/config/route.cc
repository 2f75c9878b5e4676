// SPDX-License-Identifier: MIT
#include "config/route.h"
#include "config/no_proxy.h"

namespace socksify {
bool is_direct_name(const Config& config, std::string_view name) {
  return config.active && no_proxy::matches(config.no_proxy, name);
}

Route route(const Config& config, const IpPort& destination) {
  const Ip& ip = destination.ip;
  // 0.0.0.0 and :: as a destination are this host to the kernel.
  if (!config.active || (!config.proxy_loopback && (ip.is_loopback() || ip.is_any())))
    return Route::direct;
  // What a stand-in's name says about this has been heeded before there was a stand-in.
  if (!config.is_fake_ip(ip) && (no_proxy::matches(config.no_proxy, ip) || no_proxy::is_noted(ip)))
    return Route::direct;
  if (config.mistake.variable)
    return Route::denied;
  return ip.is_ipv4() ? Route::proxy : Route::unreachable;
}

} // namespace socksify
