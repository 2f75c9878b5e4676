// SPDX-License-Identifier: MIT
// The command: where execvp(3) would find it, and whether the system will heed LD_PRELOAD there. If not, nothing runs
// and one line says why.
#pragma once
#include "launcher/library.h"

namespace socksify::launcher {

// Its path.
const char* find_command(const char* name, const Library& library, char** environment);

// Becomes the program. arguments[-1] may be written to.
[[noreturn]] void become(const char* path, char** arguments);

} // namespace socksify::launcher
