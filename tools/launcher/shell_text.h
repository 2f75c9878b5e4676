// SPDX-License-Identifier: MIT
// The settings as shell commands, for eval "$(socksify --env)".
#pragma once
#include <string>

namespace socksify::launcher {

std::string environment_text(const std::string& preload);

} // namespace socksify::launcher
