// SPDX-License-Identifier: MIT
// The settings as a shell reads them, for eval "$(socksify --env)".
#pragma once
#include <string_view>

namespace socksify::launcher {

// `has_servers`: they are an option's, and so the other variable must not be set.
std::string_view environment_text(bool has_servers, const char* preload);

} // namespace socksify::launcher
