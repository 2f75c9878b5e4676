// SPDX-License-Identifier: MIT
// Pointers of the program that the library has to follow before the kernel does. Where they lead nowhere, the call is
// left to the kernel, which returns EFAULT.
#pragma once
#include <cstddef>
#include <cstdint>

namespace socksify {

// Asks the kernel: a system call for each page.
bool can_kernel_read(const void* start, size_t size);

// Does without the kernel for what is on this thread's stack, just above: most arguments are local variables.
inline bool is_readable(const void* start, size_t size) {
  constexpr size_t near = 16 * 1024;
  const size_t distance = reinterpret_cast<uintptr_t>(start) - reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return (distance < near && size < near - distance) || can_kernel_read(start, size);
}

template <typename Type> bool is_readable(const Type* object) { return is_readable(object, sizeof *object); }

} // namespace socksify
