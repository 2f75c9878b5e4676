// SPDX-License-Identifier: MIT
// Fake IPs: the addresses of 198.18.0.0/15 (base/fake_ip.h) that stand for names only the SOCKS server can resolve. All
// processes of a user share them, and so do their children: one process may resolve a name and another one connect.
#pragma once
#include "config/config.h"
#include "names/name_map.h"

namespace socksify::fake_ips {

// True if fake IPs are in use and this is one, whether or not its name is known.
bool is_fake_ip(uint32_t ip);

// The fake IP of a normalized name, which gets one if it has none. Nullopt if it cannot be stored.
std::optional<uint32_t> ip_for(const Name& name);

// The name that a fake IP stands for.
std::optional<Name> name_of(uint32_t ip);

// "10.1.2.3:80", or "host.example:80" for a fake IP.
using Shown = Text<264>;
Shown shown(Endpoint endpoint);

// When the DNS servers of this host were last found silent, in seconds since the epoch; 0: never. Processes share this
// as they share the fake IPs.
uint32_t local_dns_silent_since();
void record_silent_local_dns(uint32_t when);

} // namespace socksify::fake_ips
