// SPDX-License-Identifier: MIT
// The variables that made this process what it is, put back into the environment of programs that it starts where they
// are missing: after env -i, or a program that starts others with an environment of its own. What is there, with
// another value or an empty one, is the program's own choice and stays; LD_PRELOAD only gets the library added.
#pragma once
#include <cstddef>
#include <string_view>

namespace socksify::environment {

// Carries the state of sockets to the next program: see exec_state.h.
inline constexpr std::string_view state_variable = "SOCKSIFY_STATE";

// The value of a variable, or null. As getenv(), but in pages that are here anyway when a process starts.
const char* find(char* const* environment, std::string_view name);

// At load, where the library is active: the program may change its environment, and overwrite its memory.
void save();

// How much room a completed environment takes. None (`entries` is 0): it is complete as it is.
struct Room {
  size_t entries = 0;
  size_t bytes = 0;
};

// `state` is an entry to be added in any case, or null; one by the same name is left out.
Room room_for(char* const* environment, const char* state);

// Writes the completed environment into that room. No heap, no lock: it may be a child of vfork().
char** complete(char* const* environment, const char* state, char** entries, char* bytes);

} // namespace socksify::environment
