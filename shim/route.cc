// SPDX-License-Identifier: MIT
#include "route.h"
#include "names.h"
#include <cstring>

namespace socksify {
namespace {

bool same_bits(const Ip& one, const Ip& other, unsigned count) {
  if (std::memcmp(one.bytes, other.bytes, count / 8) != 0)
    return false;
  const unsigned rest = count % 8;
  return rest == 0 || ((one.bytes[count / 8] ^ other.bytes[count / 8]) >> (8 - rest)) == 0;
}

// "10.0.0.0/8", "fd00::/8", or one address.
bool matches(std::string_view entry, const Ip& ip) {
  const auto [address, prefix_text, has_prefix] = split_at(entry, entry.find('/'));
  const auto network = parse_ip(address);
  if (!network || network->is_ipv4() != ip.is_ipv4())
    return false;
  const unsigned width = ip.is_ipv4() ? 32 : 128;
  unsigned bits = width;
  if (has_prefix) {
    const auto prefix = parse_number(prefix_text, 0, width);
    if (!prefix)
      return false;
    bits = *prefix;
  }
  return same_bits(*network, ip, 128 - width + bits);
}

} // namespace

bool matches_no_proxy(std::string_view list, const Ip& ip) {
  if (list == "*")
    return true;
  constexpr std::string_view separators = ", \t";
  while (!list.empty()) {
    const auto [entry, rest, found] = split_at(list, list.find_first_of(separators));
    if (matches(entry, ip))
      return true;
    list = rest;
  }
  return false;
}

bool is_direct_name(const Config& config, std::string_view) { return config.no_proxy == "*"; }

Route route(const Config& config, const IpPort& destination) {
  const Ip& ip = destination.ip;
  // 0.0.0.0 and :: as a destination are this host to the kernel.
  if (!config.active || (!config.proxy_loopback && (ip.is_loopback() || ip.is_any())))
    return Route::direct;
  // What a stand-in's name says about this has been heeded before there was a stand-in.
  if (!names::is_stand_in(config, ip) && matches_no_proxy(config.no_proxy, ip))
    return Route::direct;
  if (config.mistake.variable)
    return Route::denied;
  return ip.is_ipv4() ? Route::proxy : Route::unreachable;
}

} // namespace socksify
