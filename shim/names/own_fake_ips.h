// SPDX-License-Identifier: MIT
// The fake IPs that this process itself has been given last: for one that changes its user, its root directory or what
// it may open after it has resolved a name, and before it connects.
#pragma once
#include "names/name_map.h"

namespace socksify::own_fake_ips {

void remember(uint32_t ip, const Name& name);
std::optional<Name> name_of(uint32_t ip);

} // namespace socksify::own_fake_ips
