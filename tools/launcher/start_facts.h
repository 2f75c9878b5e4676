// SPDX-License-Identifier: MIT
// What the kernel tells a process at its start, getauxval(3).
#pragma once
#include <link.h>

namespace socksify::launcher {

struct StartFacts {
  const char* path = ""; // that the launcher was started by
  unsigned long user = 0, group = 0;

  // The facts come behind the null at the environment's end.
  explicit StartFacts(char** environment) {
    while (*environment)
      ++environment;
    for (auto fact = reinterpret_cast<const ElfW(auxv_t)*>(environment + 1); fact->a_type != AT_NULL; ++fact)
      take(*fact);
  }

private:
  void take(const ElfW(auxv_t) & fact) {
    const auto value = fact.a_un.a_val;
    switch (fact.a_type) {
    case AT_EXECFN:
      path = reinterpret_cast<const char*>(value);
      break;
    case AT_UID:
      user = value;
      break;
    case AT_GID:
      group = value;
    }
  }
};

} // namespace socksify::launcher
