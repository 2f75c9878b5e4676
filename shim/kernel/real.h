// SPDX-License-Identifier: MIT
// REAL(connect)(fd, address, length) calls the C library's function, or that of the next preloaded library.
// The library's own code calls REAL(x), never x, for every x that it hooks.
#pragma once
#include "kernel/uninterrupted.h"
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>

#define HOOK extern "C" __attribute__((visibility("default")))

namespace socksify {

[[gnu::cold]] inline void* find_definition(std::atomic<void*>& known, const char* name) {
  const Uninterrupted search; // dlsym() takes locks of the dynamic linker
  void* found = dlsym(RTLD_NEXT, name);
  if (!found)
    std::abort(); // cannot happen: a program that uses the function would not have started with a libc that lacks it
  known.store(found, std::memory_order_relaxed);
  return found;
}

// Looked up at the first use, then shared by all callers.
template <auto* Function> [[gnu::visibility("hidden")]] auto next_definition(const char* name) {
  static constinit std::atomic<void*> known{nullptr};
  void* found = known.load(std::memory_order_relaxed);
  if (!found) [[unlikely]]
    found = find_definition(known, name);
  return reinterpret_cast<decltype(Function)>(found);
}

} // namespace socksify

#define REAL(name) (*socksify::next_definition<&::name>(#name))
