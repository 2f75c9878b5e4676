// SPDX-License-Identifier: MIT
// /etc/hosts, read by ourselves: the C library cannot be told to look here and not to ask a server then.
#pragma once
#include "names/lookup_result.h"

namespace socksify::hosts_file {

inline constexpr const char* usual = "/etc/hosts";

// All addresses of a name, spelled as names::spelled does; and the name that stands first in its first line. Unsure if
// there is a file that cannot be read now.
Answer find(const Name& name, const char* path = usual);

// The first name of an address.
std::optional<Name> find(const Ip& ip, const char* path = usual);

} // namespace socksify::hosts_file
