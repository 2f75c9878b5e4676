// SPDX-License-Identifier: MIT
// Do the DNS servers of this host answer?
#pragma once
#include <optional>

namespace socksify::check {

// Nothing if they do; else the seconds that a look-up waits for them.
std::optional<int> limit_of_silent_dns();

} // namespace socksify::check
