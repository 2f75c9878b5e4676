// SPDX-License-Identifier: MIT
// Whether a program can be proxied: what the kernel and the dynamic linker will make of it.
#pragma once
#include "check/report.h"
#include <string>

namespace socksify {

// Finds the command as execvp(3) does, follows it to the program that runs in the end, and has the program's own
// dynamic linker load what LD_PRELOAD is going to be, without running the program.
void check_program(Report& report, const std::string& command, const std::string& preload);

// The same for a program that is known to be in order: ours.
void check_library(Report& report, const std::string& preload);

// What the library says of its environment when it is loaded.
void check_settings(Report& report, const std::string& preload);

} // namespace socksify
