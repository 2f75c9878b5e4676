// SPDX-License-Identifier: MIT
// The addresses of a name, in the order in which to try them.
#pragma once
#include "base/address.h"
#include "names/name_map.h"
#include <algorithm>

namespace socksify {

struct LookupResult {
  Name name; // the canonical one
  Ip ips[16];
  size_t count = 0;       // 0: the name is not known
  bool is_unsure = false; // the look-up itself failed, for example for lack of memory or descriptors

  explicit operator bool() const { return count != 0; }

  void add(const Ip& ip) {
    const auto same = [&](const Ip& other) { return std::equal(ip.bytes, ip.bytes + sizeof ip.bytes, other.bytes); };
    if (count < std::size(ips) && std::none_of(ips, ips + count, same))
      ips[count++] = ip;
  }
};

} // namespace socksify
