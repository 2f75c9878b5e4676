// SPDX-License-Identifier: MIT
// The entries of NO_PROXY that can never match: by curl's rules, `*` among others, a port, brackets, a network of
// more bits than an address has and the beginning of an address are parts of a name that does not exist.
#pragma once
#include <string_view>

namespace socksify {

// Removes entries from the list until one can never match, and returns that; empty at the end of the list.
std::string_view next_dead_entry(std::string_view& list);

// "it has a port".
const char* why_dead(std::string_view entry);

} // namespace socksify
