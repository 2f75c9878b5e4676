// SPDX-License-Identifier: MIT
// Host names, in the one spelling in which they are sent and compared.
#pragma once
#include "base/text.h"
#include <optional>

namespace socksify {

using Name = Text<256>;

namespace host_name {

// In lower case, without a trailing dot. Nullopt for what cannot be a host name: too long, with characters that host
// names do not have, or with a number as its last label, as addresses have.
std::optional<Name> normalized(std::string_view text);

} // namespace host_name
} // namespace socksify
