// SPDX-License-Identifier: MIT
// Lists the open descriptors of this process without opendir(), which needs the heap.
#pragma once
#include "base/fd.h"
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace socksify {

// Calls visit(fd) for every open descriptor. False without /proc.
template <typename Visit> bool for_each_listed_fd(Visit visit) {
  const Fd directory{open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory)
    return false;
  alignas(dirent64) char entries[2048];
  long got;
  while ((got = syscall(SYS_getdents64, directory.get(), entries, sizeof entries)) > 0)
    for (long at = 0; at < got;) {
      uint16_t length;
      std::memcpy(&length, entries + at + offsetof(dirent64, d_reclen), sizeof length);
      const char* name = entries + at + offsetof(dirent64, d_name);
      if (*name != '.')
        visit(atoi(name));
      at += length;
    }
  return got == 0;
}

// Calls visit(fd) for every descriptor that may be open: without /proc, for each number below the limit.
template <typename Visit> void for_each_open_fd(Visit visit) {
  if (for_each_listed_fd(visit))
    return;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t most = 65536; // the limit may be a billion
  for (int fd = 0; fd < static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most); ++fd)
    visit(fd);
}

} // namespace socksify
