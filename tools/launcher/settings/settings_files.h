// SPDX-License-Identifier: MIT
// The settings files. Options take precedence over the environment, the environment over the user's file, and the
// user's file over the system's.
#pragma once
#include "launcher/options.h"
#include <string>

namespace socksify::launcher {

// Puts into the environment what nothing with precedence has set; the options are there already. Throws Error.
void read_settings_files(const Options& options, const std::string& system_file);

} // namespace socksify::launcher
