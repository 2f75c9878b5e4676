// SPDX-License-Identifier: MIT
// The fake IPs that this process itself was given. A program may resolve a name and then change its user, its root
// directory or its limits before it connects, so that it cannot read the shared file any more.
#pragma once
#include "names/host_name.h"
#include <cstdint>

namespace socksify::own_fake_ips {

// Keeps the name for as long as the process lives: at most one for each fake IP. False if there is no memory.
[[nodiscard]] bool remember(uint32_t ip, const Name& name);

std::optional<Name> name_of(uint32_t ip);

} // namespace socksify::own_fake_ips
