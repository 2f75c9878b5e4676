// SPDX-License-Identifier: MIT
// REAL(connect)(fd, address, length): the definition of a libc function that comes after ours.
// Our own code calls REAL(x) and never x, for every x that is a hook.
#pragma once
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>

#define HOOK extern "C" __attribute__((visibility("default")))

namespace socksify {

template <typename Function> Function* next_definition(std::atomic<void*>& known, const char* name) {
  void* found = known.load(std::memory_order_relaxed);
  if (!found) {
    found = dlsym(RTLD_NEXT, name);
    if (!found)
      std::abort(); // a libc without it: the program that called could not have been started
    known.store(found, std::memory_order_relaxed);
  }
  return reinterpret_cast<Function*>(found);
}

} // namespace socksify

#define REAL(name)                                                                                                     \
  (*[] {                                                                                                               \
    static std::atomic<void*> real_{nullptr};                                                                          \
    return socksify::next_definition<decltype(::name)>(real_, #name);                                                  \
  }())
