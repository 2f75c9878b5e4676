// SPDX-License-Identifier: MIT
#include "kernel/readable.h"
#include "base/fd.h"
#include "kernel/real.h"
#include <csignal>
#include <sys/syscall.h>

namespace socksify {
namespace {

constexpr uintptr_t page = 4096; // or more
constexpr uintptr_t word = 8;

// rt_sigprocmask() with an operation that does not exist reads the set, and then does nothing.
bool can_read_word(uintptr_t address) {
  constexpr int no_operation = -1;
  return REAL(syscall)(SYS_rt_sigprocmask, no_operation, address & ~(word - 1), nullptr, _NSIG / 8) == 0 ||
         errno != EFAULT;
}

} // namespace

bool can_kernel_read(const void* start, size_t size) {
  const KeepErrno keep;
  const auto first = reinterpret_cast<uintptr_t>(start);
  const uintptr_t last = first + (size ? size - 1 : 0);
  if (first < page) // null and its neighbours: the kernel takes null for no set
    return false;
  for (uintptr_t at = first; at >= first && at <= last; at = (at | (page - 1)) + 1)
    if (!can_read_word(at))
      return false;
  return last >= first;
}

} // namespace socksify
