// SPDX-License-Identifier: MIT
// REAL(connect)(fd, address, length): the definition of a libc function that comes after ours.
// Our own code calls REAL(x) and never x, for every x that is a hook.
#pragma once
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>

#define HOOK extern "C" __attribute__((visibility("default")))

namespace socksify {

// Found at the first use of any, and known to all.
template <auto* Function> [[gnu::visibility("hidden")]] inline constinit std::atomic<void*> known_definition{nullptr};

[[gnu::cold]] inline void* find_definition(std::atomic<void*>& known, const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (!found)
    std::abort(); // a libc without it: the program that called could not have been started
  known.store(found, std::memory_order_relaxed);
  return found;
}

template <auto* Function> auto next_definition(const char* name) {
  void* found = known_definition<Function>.load(std::memory_order_relaxed);
  if (!found) [[unlikely]]
    found = find_definition(known_definition<Function>, name);
  return reinterpret_cast<decltype(Function)>(found);
}

} // namespace socksify

#define REAL(name) (*socksify::next_definition<&::name>(#name))
