// SPDX-License-Identifier: MIT
// Will the system heed LD_PRELOAD in a program? Not in one that is statically linked, for another processor or C
// library, or that changes the user.
#pragma once
#include "launcher/library.h"

namespace socksify::launcher {

// Returns if so. Of a script, its interpreter is what matters.
void check_program(const char* path, const Library& library, char** environment);

} // namespace socksify::launcher
