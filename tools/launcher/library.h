// SPDX-License-Identifier: MIT
// The library, and what is installed beside it.
#pragma once
#include <string_view>

namespace socksify::launcher {

struct Library {
  std::string_view folder;  // where it is, with what the launcher needs besides
  const char* preload = ""; // for LD_PRELOAD, with what the user has there
  const char* system_settings = "";
};

// REQUIRES: `environment` ends with null, and the auxiliary vector comes behind it.
Library find_library(char** environment);

// An absolute path for one that may be relative to where we are.
const char* make_absolute(const char* path);

} // namespace socksify::launcher
