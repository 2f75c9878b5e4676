// SPDX-License-Identifier: MIT
// The library to preload, and the programs that are installed beside it.
#pragma once
#include <string>

namespace socksify::launcher {

struct Library {
  std::string folder;          // of the library and the launcher's helpers
  std::string preload;         // for LD_PRELOAD: the library, then what the user has there
  std::string system_settings; // the system's settings file
};

// SOCKSIFY_LIBRARY, else the one beside this program. Throws Error.
Library find_library();

// A program beside the library. Throws Error if it is missing.
std::string helper(const Library& library, const char* name);

} // namespace socksify::launcher
