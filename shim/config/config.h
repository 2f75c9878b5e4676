// SPDX-License-Identifier: MIT
// The configuration of this process: its environment, read once.
#pragma once
#include "base/settings.h"

namespace socksify {

const Config& config();

// The userid for requests. If the environment gives no hint, it is the login name, looked up at its first use.
std::string_view userid();

} // namespace socksify
