// SPDX-License-Identifier: MIT
// Names that only the SOCKS server can resolve, and the addresses that stand in for them in this host's programs:
// 198.18.0.0/15, which RFC 2544 sets apart for benchmarks of network devices, so that no host has one. All processes
// of a user share them, and those that a fork or an exec begins: what one resolves, another one may connect to.
#pragma once
#include "config/config.h"
#include "names/name_map.h"

namespace socksify::names {

// True if fake IPs are in use and this is one, whether or not its name is known.
bool is_fake_ip(uint32_t ip);

// The name as it is sent and compared: in lower case, without a dot at its end. Nothing for what cannot be the name of
// a host: too long, with other characters than those have, or with a number at its end, as addresses have.
std::optional<Name> spelled(std::string_view name);

// The address that stands in for a name, spelled so. Nothing if there is no memory left to remember one.
std::optional<uint32_t> fake_ip_for(const Name& name);

// The name for which an address stands in.
std::optional<Name> find(uint32_t ip);

// "10.1.2.3:80", and "host.example:80" for a stand-in.
using Shown = Text<264>;
Shown shown(Endpoint endpoint);

} // namespace socksify::names
