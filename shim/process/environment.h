// SPDX-License-Identifier: MIT
// Passes this process's settings on to the programs that it starts. Variables that are missing from the new environment
// are added: after env -i, or when a program starts others with an environment of its own. Variables that are there,
// even with another or an empty value, are the program's choice and stay; the library is added to LD_PRELOAD.
#pragma once
#include <cstddef>
#include <string_view>

namespace socksify::environment {

// Passes the state of sockets on to the next program: see exec_state.h.
inline constexpr std::string_view state_variable = "SOCKSIFY_STATE";

// The value of a variable in the given environment, or null.
const char* value_of(char* const* environment, std::string_view name);

// Copies the settings at load, if the library is active: the program may change its environment and reuse its memory.
void save();

// LD_PRELOAD up to and including this library, which may need those before it. Empty if it was loaded by other means.
std::string_view own_libraries();

// An empty SOCKS_SERVER, or SOCKSIFY_SERVER, is how a program or script asks for direct connections.
bool opts_out(char* const* environment);

// The size of a completed environment. `entries` is 0 if the environment needs no change.
struct Size {
  size_t entries = 0;
  size_t bytes = 0;
};

// What else the new program gets.
struct Additions {
  const char* state = nullptr; // an entry, which replaces one of that name; or null
  // The runtime of a sanitizer that the program needs, or empty: it has to come first in LD_PRELOAD. Only one that was
  // put there for such a program is taken out for others: it is followed by an empty entry.
  std::string_view sanitizer;
};

Size size_for(char* const* environment, const Additions& additions);

// Writes the completed environment to buffers of that size. Uses no heap and no lock: this may be a child of vfork().
char** complete(char* const* environment, const Additions& additions, char** entries, char* bytes);

} // namespace socksify::environment
