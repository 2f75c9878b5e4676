// SPDX-License-Identifier: MIT
// The environment that the program gets: the launcher's own, and what is changed in it.
#pragma once
#include <string_view>

namespace socksify::launcher::variables {

// REQUIRES: before all others.
void begin(char** environment);

// The value, or null.
const char* find(const char* name);
// The value, or an empty text.
std::string_view value(const char* name);

void set(std::string_view name, std::string_view value);
void unset(std::string_view name);

char** all();

} // namespace socksify::launcher::variables
