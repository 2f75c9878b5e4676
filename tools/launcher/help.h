// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace socksify::launcher {

std::string help_text();
std::string version_text();

} // namespace socksify::launcher
