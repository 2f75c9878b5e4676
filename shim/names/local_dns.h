// SPDX-License-Identifier: MIT
// What the DNS servers of this host are good for, where the SOCKS server resolves what they do not know.
#pragma once
#include <cstdint>
#include <string_view>

namespace socksify::local_dns {

// True if they have been silent in this session a short time ago. Then they are not asked, because each name would cost
// the whole delay again.
bool is_silent();

// One look-up by the C library.
class Watch {
public:
  Watch();
  // Call if it has failed for want of an answer. Remembers the servers as silent if it took long, and if they do not
  // answer another question either: it may be the name's own servers that are silent.
  void failed() const;

private:
  int64_t m_start;
};

// True if these servers are the ones to know that the name does not exist: it has no dot, or is in a domain of the
// search list of resolv.conf(5).
bool is_in_charge(std::string_view name);

} // namespace socksify::local_dns
