// SPDX-License-Identifier: MIT
// What a name is found to be: addresses, in the order in which they are to be tried.
#pragma once
#include "base/address.h"
#include "names/name_map.h"
#include <algorithm>

namespace socksify {

struct Answer {
  Name name; // the canonical one
  Ip ips[16];
  size_t count = 0;       // 0: it is not known
  bool is_unsure = false; // it could not be found out: for want of memory, of a descriptor

  explicit operator bool() const { return count != 0; }

  void add(const Ip& ip) {
    const auto same = [&](const Ip& other) { return std::equal(ip.bytes, ip.bytes + sizeof ip.bytes, other.bytes); };
    if (count < std::size(ips) && std::none_of(ips, ips + count, same))
      ips[count++] = ip;
  }
};

} // namespace socksify
