// SPDX-License-Identifier: MIT
// Why the library cannot proxy a program.
#pragma once
#include "base/executable/program.h"

namespace socksify {

enum class Obstacle : uint8_t {
  none,
  other_machine,
  is_static,
  musl,
  other_libc,
  go,
  pascal,
  set_id,
  capabilities,
  other_ids,
  unreachable, // the library, from where the program would run
};

// `preload` is what LD_PRELOAD will be. If the library's path in it has $LIB, there is a library for each word size.
Obstacle obstacle_in(const Program& program, std::string_view preload);

// "is statically linked: LD_PRELOAD has no effect on it".
const char* in_words(Obstacle obstacle);

} // namespace socksify
