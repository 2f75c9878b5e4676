// SPDX-License-Identifier: MIT
// Fake IPs stand for names that only the SOCKS server can resolve. They are the addresses of 198.18.0.0/15, which RFC
// 2544 reserves for benchmarks of network devices, so that no host has one.
#pragma once
#include <cstdint>

namespace socksify::fake_ip {

inline constexpr uint32_t network = 0xc6120000; // 198.18.0.0
inline constexpr uint32_t count = 1 << 17;      // /15

// `ip` in host byte order.
constexpr bool contains(uint32_t ip) { return ip - network < count; }

} // namespace socksify::fake_ip
