// SPDX-License-Identifier: MIT
// What the launcher becomes: the command, a shell or the checker, with or without a server of its own.
#pragma once
#include "launcher/library.h"
#include "launcher/options.h"
#include <string>

namespace socksify::launcher {

// Throws Error.
[[noreturn]] void enter_mode(const Options& options, const Library& library);

// Has the checker report what --check has found wrong before it could begin. Throws Error.
[[noreturn]] void report_by_checker(const Options& options, const Library& library, const std::string& reason);

// Ends with this on stdout. Throws Error if it cannot be written.
[[noreturn]] void print_and_end(const std::string& text);

} // namespace socksify::launcher
