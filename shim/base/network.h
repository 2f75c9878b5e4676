// SPDX-License-Identifier: MIT
// A CIDR network: "10.0.0.0/8", "fd00::/8", or a single address. Pure. NO_PROXY and the server's rules use it.
#pragma once
#include "base/address.h"

namespace socksify {

struct Network {
  Ip address;
  unsigned prefix = 0; // bits: at most 32 for IPv4, 128 for IPv6

  // False for an address of the other family, whatever the prefix.
  bool contains(const Ip& ip) const;
  bool has_host_bits() const;
  bool operator==(const Network&) const = default;
};

// Accepts an address that has bits set beyond the prefix: curl does, too.
std::optional<Network> parse_network(std::string_view text);

} // namespace socksify
