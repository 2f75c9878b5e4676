// SPDX-License-Identifier: MIT
// Reads /etc/hosts. The C library cannot look in the file alone: it would go on to ask a DNS server.
#pragma once
#include "names/lookup_result.h"

namespace socksify::hosts_file {

inline constexpr const char* usual = "/etc/hosts";

// All addresses of a normalized name, with the first name of its first line as the canonical one. Unsure if the file
// exists but cannot be read now.
LookupResult look_up(const Name& name, const char* path = usual);

// The first name of an address.
std::optional<Name> name_of(const Ip& ip, const char* path = usual);

} // namespace socksify::hosts_file
