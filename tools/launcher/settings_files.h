// SPDX-License-Identifier: MIT
// The files of settings, the user's and the system's, and who is stronger: options, the environment, the user's file,
// the system's.
#pragma once
#include "launcher/options.h"

namespace socksify::launcher {

// What is nowhere set more strongly gets into the environment, where the options are by now.
void read_settings_files(const Options& options, const char* system_file);

} // namespace socksify::launcher
