// SPDX-License-Identifier: MIT
#include "config/route.h"
#include "config/no_proxy.h"

namespace socksify {
namespace {

// Multicast and broadcast addresses: the kernel refuses them for TCP.
bool is_for_many(const Ip& ip) {
  const uint32_t ipv4 = ip.is_ipv4() ? ip.ipv4() : 0;
  return (ipv4 >> 28 == 14) || ipv4 == INADDR_BROADCAST || ip.bytes[0] == 0xff;
}

} // namespace

bool is_direct_name(const Config& config, std::string_view name) {
  return config.active && no_proxy::matches(config.no_proxy, name);
}

Route route(const Config& config, const IpPort& destination) {
  const Ip& ip = destination.ip;
  if (is_for_many(ip))
    return Route::direct;
  // The kernel takes 0.0.0.0 and :: as a destination for this host.
  if (!config.active || (!config.proxy_loopback && (ip.is_loopback() || ip.is_any())))
    return Route::direct;
  // NO_PROXY does not match the name of a fake IP: such a name gets none.
  if (!config.is_fake_ip(ip) && (no_proxy::matches(config.no_proxy, ip) || no_proxy::is_recorded(ip)))
    return Route::direct;
  if (config.mistake.variable)
    return Route::denied;
  return ip.is_ipv4() ? Route::proxy : Route::unreachable;
}

} // namespace socksify
