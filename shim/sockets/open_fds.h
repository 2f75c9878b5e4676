// SPDX-License-Identifier: MIT
// The descriptors of this process that may be open. Trying each number is far cheaper than reading /proc/self/fd, for
// which the kernel makes an inode for each.
#pragma once
#include "base/fd.h"
#include "kernel/uninterrupted.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>

namespace socksify {

// Without /proc. The limit may be a billion.
inline int limit_of_fds() {
  constexpr rlim_t most = 65536;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min(limit.rlim_cur, most));
}

// The size of the kernel's table of descriptors: all open ones are below it.
inline int end_of_fds() {
  constexpr const char* name = "\nFDSize:";
  char text[768];
  const Uninterrupted whole;
  const Fd status{open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
  const ssize_t length = status ? pread(status.get(), text, sizeof text - 1, 0) : 0;
  text[length > 0 ? length : 0] = '\0';
  const char* const line = std::strstr(text, name);
  return line ? std::atoi(line + std::strlen(name)) : limit_of_fds();
}

// Calls visit(fd) for every descriptor that may be open.
template <typename Visit> void for_each_open_fd(Visit visit) {
  const int end = end_of_fds();
  for (int fd = 0; fd < end; ++fd)
    visit(fd);
}

} // namespace socksify
