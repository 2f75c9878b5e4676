// SPDX-License-Identifier: MIT
// The command: where execvp(3) would find it, and whether the system loads the library there. All throw Error.
#pragma once
#include "launcher/library.h"
#include <vector>

namespace socksify::launcher {

struct Command {
  std::string path;
  std::string preload; // LD_PRELOAD for it
};

// Refuses a command that cannot be proxied: of a script, the interpreter is what matters.
Command find_command(const char* name, const Library& library);

// The command and its arguments, and at the end the null that execve(2) wants.
using Words = std::vector<const char*>;

// Becomes the program at `path`.
[[noreturn]] void become(const std::string& path, Words words);

} // namespace socksify::launcher
