// SPDX-License-Identifier: MIT
// NO_PROXY by curl's rules (CURLOPT_NOPROXY, curl(1) --noproxy): a list, separated by commas or blanks, of addresses,
// CIDR networks, and names that stand for themselves and all names below them; or `*` alone for everything. As in curl,
// entries with a port, with brackets around an IPv6 address, or a `*` among others match nothing.
#pragma once
#include "base/address.h"

namespace socksify::no_proxy {

// The entry of the list that matches, or an empty text.
std::string_view rule_for(std::string_view list, const Ip& ip);
std::string_view rule_for(std::string_view list, std::string_view name);

inline bool matches(std::string_view list, const Ip& ip) { return !rule_for(list, ip).empty(); }
inline bool matches(std::string_view list, std::string_view name) { return !rule_for(list, name).empty(); }

// Records an address that a name was resolved to, and whether the name matches: a later connect() has only the address.
// If several names have the address, the last one resolved counts.
void record(const Ip& ip, bool is_direct);
bool is_recorded(const Ip& ip);

} // namespace socksify::no_proxy
