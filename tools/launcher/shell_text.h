// SPDX-License-Identifier: MIT
// The settings as a shell reads them, for eval "$(socksify --env)".
#pragma once
#include "launcher/options.h"

namespace socksify::launcher {

// Where an option sets one of two variables of a setting, the shell must not keep the other one.
std::string_view environment_text(const Options& options, const char* preload);

} // namespace socksify::launcher
