// SPDX-License-Identifier: MIT
// The environment that the command gets: ours, and what is changed in it.
#pragma once
#include <cstdlib>
#include <string>
#include <string_view>

namespace socksify::launcher {

// The value, or null.
inline const char* find_variable(const char* name) { return std::getenv(name); }

// The value, or an empty text.
inline std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

// An environment can have a name twice; setenv() would leave the second one.
inline void set_variable(const char* name, const std::string& value) {
  ::unsetenv(name);
  ::setenv(name, value.c_str(), true);
}

} // namespace socksify::launcher
