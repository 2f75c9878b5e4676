// SPDX-License-Identifier: MIT
// NO_PROXY by curl's rules (CURLOPT_NOPROXY, curl(1) --noproxy): a list, separated by commas or blanks, of names, each
// for itself and all below it, addresses and CIDR networks; or `*` alone for everything. As with curl, a port, brackets
// around an IPv6 address, or a `*` beside others match nothing.
#pragma once
#include "base/address.h"

namespace socksify::no_proxy {

// The entry of the list that matches; empty: none does.
std::string_view rule_for(std::string_view list, const Ip& ip);
std::string_view rule_for(std::string_view list, std::string_view name);

inline bool matches(std::string_view list, const Ip& ip) { return !rule_for(list, ip).empty(); }
inline bool matches(std::string_view list, std::string_view name) { return !rule_for(list, name).empty(); }

// What a name that matches, or one that does not, was resolved to: a later connect() only has the address. The
// name that was resolved last counts.
void note(const Ip& ip, bool is_direct);
bool is_noted(const Ip& ip);

} // namespace socksify::no_proxy
