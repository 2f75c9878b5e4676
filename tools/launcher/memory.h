// SPDX-License-Identifier: MIT
// Memory that lasts until the launcher becomes the program.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace socksify::launcher {

using Parts = std::initializer_list<std::string_view>;

void* allocate(size_t size);

// The parts as one text, terminated by NUL.
char* join(Parts parts);

} // namespace socksify::launcher
