// SPDX-License-Identifier: MIT
// Can a program be proxied? The kernel and the dynamic linker decide.
#pragma once
#include "check/report.h"
#include <string>

namespace socksify::check {

// Finds the command as execvp(3) does, follows scripts to the program that runs in the end, and has that program's
// dynamic linker load the library without running the program.
void check_program(Report& report, const Words& command, const std::string& preload);

// Has the dynamic linker load the library into a program that is known to be sound: this one.
void check_library(Report& report, const std::string& preload);

// Reports what the library says about its environment when it is loaded.
void check_settings(Report& report, const std::string& preload);

} // namespace socksify::check
