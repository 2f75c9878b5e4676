// SPDX-License-Identifier: MIT
// Questions about files.
#pragma once
#include <cstddef>

namespace socksify::launcher::files {

// What is wrong with a file, for an errno as a negative number.
const char* reason_for(long error);

bool exists(const char* path);
bool is_readable(const char* path);
bool is_executable(const char* path);
// True if it can be appended to; it is there from now on.
bool can_append(const char* path);

// Of a symbolic link; null: it is none.
const char* target_of(const char* link);

// A whole file, in memory, with room for a byte behind it.
struct Content {
  char* text = nullptr;
  size_t size = 0;
  const char* reason = nullptr; // why it cannot be read
};
// Nothing that could keep us waiting, and no more than so much, is read. Without text and reason: there is no such
// file.
Content read_whole(const char* path, size_t most);

} // namespace socksify::launcher::files
