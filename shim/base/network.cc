// SPDX-License-Identifier: MIT
#include "base/network.h"
#include <cstring>

namespace socksify {
namespace {

unsigned width_of(const Ip& ip) { return ip.is_ipv4() ? 32 : 128; }

// The prefix counted in all 128 bits of an Ip, where IPv4 comes last.
unsigned full_prefix(const Network& network) { return 128 - width_of(network.address) + network.prefix; }

bool same_bits(const Ip& one, const Ip& other, unsigned count) {
  if (std::memcmp(one.bytes, other.bytes, count / 8) != 0)
    return false;
  const unsigned rest = count % 8;
  return rest == 0 || ((one.bytes[count / 8] ^ other.bytes[count / 8]) >> (8 - rest)) == 0;
}

bool bit_at(const Ip& ip, unsigned position) { return ip.bytes[position / 8] >> (7 - position % 8) & 1; }

} // namespace

bool Network::contains(const Ip& ip) const {
  return ip.is_ipv4() == address.is_ipv4() && same_bits(address, ip, full_prefix(*this));
}

bool Network::has_host_bits() const {
  for (unsigned position = full_prefix(*this); position < 128; ++position)
    if (bit_at(address, position))
      return true;
  return false;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto [address, prefix_text, has_prefix] = split_at(text, text.find('/'));
  const auto ip = parse_ip(address);
  if (!ip)
    return std::nullopt;
  if (!has_prefix)
    return Network{*ip, width_of(*ip)};
  const auto prefix = parse_number(prefix_text, 0, width_of(*ip));
  if (!prefix)
    return std::nullopt;
  return Network{*ip, *prefix};
}

} // namespace socksify
