// SPDX-License-Identifier: MIT
// Before exec: would the library be loaded into the new program? If not, the program would connect directly, so that
// it is refused. SOCKS_SERVER= in its environment lets it through.
#pragma once
#include "base/executable/program.h"

namespace socksify::exec_check {

using Sanitizer = Text<64>;

// Each is true if the program may run, else writes a line to stderr and sets errno: EACCES, or why the file could not
// be read. What cannot be executed is left to the kernel to report. `sanitizer` is the runtime that the program needs,
// or empty.
bool allows(const Location& program, char* const* environment, Sanitizer& sanitizer);
// The program that execvp(3) would find in PATH.
bool allows_file(const char* file, char* const* environment, Sanitizer& sanitizer);

} // namespace socksify::exec_check
