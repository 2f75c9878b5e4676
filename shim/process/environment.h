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

// The size of a completed environment. `entries` is 0 if the environment needs no change.
struct Size {
  size_t entries = 0;
  size_t bytes = 0;
};

// `state` is an entry to add, or null. An existing entry of that name is dropped.
Size size_for(char* const* environment, const char* state);

// Writes the completed environment to buffers of that size. Uses no heap and no lock: this may be a child of vfork().
char** complete(char* const* environment, const char* state, char** entries, char* bytes);

} // namespace socksify::environment
