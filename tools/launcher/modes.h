// SPDX-License-Identifier: MIT
// What the launcher becomes: the program, a shell, the one that checks; with a server of its own or not.
#pragma once
#include "launcher/library.h"
#include "launcher/options.h"

namespace socksify::launcher {

// From here on, what --check finds wrong is a finding like others.
void begin_check(const Options& options, const Library& library);

[[noreturn]] void enter_mode(const Options& options, const Library& library, char** environment);

} // namespace socksify::launcher
