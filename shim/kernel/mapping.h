// SPDX-License-Identifier: MIT
// Memory straight from the kernel: the library does not use the program's heap.
#pragma once
#include "base/fd.h"
#include <atomic>
#include <cstddef>
#include <sys/mman.h>

namespace socksify {

// Zeroed memory, or null. MAP_PRIVATE or MAP_SHARED, and optionally MAP_POPULATE.
inline void* map_memory(size_t bytes, int flags = MAP_PRIVATE) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Returns the object that `place` points to. If there is none, maps one: zeroed memory has to be a valid T. Of two
// threads that map at the same time, one wins and both use its mapping. Null if there is no memory.
template <typename T> T* publish_mapping(std::atomic<T*>& place, size_t bytes, int flags) {
  T* published = place.load(std::memory_order_acquire);
  if (published)
    return published;
  T* mine = static_cast<T*>(map_memory(bytes, flags));
  if (!mine || place.compare_exchange_strong(published, mine, std::memory_order_acq_rel))
    return mine;
  munmap(static_cast<void*>(mine), bytes);
  return published;
}

// A temporary buffer: the caller's stack memory if it is not null, else a mapping. get() is null if there is no memory.
class Scratch {
public:
  Scratch(void* on_stack, size_t bytes)
      : m_memory(on_stack ? on_stack : map_memory(bytes)), m_mapped(on_stack ? 0 : bytes) {}
  ~Scratch() { release(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* get() const { return m_memory; }

  // What the destructor does.
  void release() {
    KeepErrno keep;
    if (m_mapped && m_memory)
      munmap(m_memory, m_mapped);
    m_mapped = 0;
  }

private:
  void* const m_memory;
  size_t m_mapped; // bytes; 0: on the stack
};

} // namespace socksify
