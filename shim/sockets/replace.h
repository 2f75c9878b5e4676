// SPDX-License-Identifier: MIT
// Replaces a socket by another one: on its descriptor, on the dups of that in this process, and in epoll sets. The new
// socket takes over the time limits.
#pragma once
#include "base/fd.h"

namespace socksify {

// 0 or an errno. `except` is a descriptor that keeps the old socket.
[[nodiscard]] int replace_socket(int fd, const Fd& replacement, int except = -1);

} // namespace socksify
