// SPDX-License-Identifier: MIT
// The configuration of this process: its environment, read once.
#pragma once
#include "base/settings.h"

namespace socksify {

const Config& config();

// True if calls of this thread may be the library's business: a server is named, and this is not a look-up of the
// library's own. Modules of the name service switch have servers of their own, and connect to them directly.
bool is_active();

// The userid for requests. If the environment gives no hint, it is the login name, looked up at its first use.
std::string_view userid();

} // namespace socksify
