// SPDX-License-Identifier: MIT
// Replaces a socket by another one: on its descriptor, on the dups of that in this process, and in epoll sets. The new
// socket takes over the time limits.
#pragma once
#include "base/fd.h"
#include <cstdint>

namespace socksify {

// 0 or an errno. `except` is a descriptor that keeps the old socket.
[[nodiscard]] int replace_socket(int fd, const Fd& replacement, int except = -1);

// By one with the same options, which is not bound. 0 or an errno.
[[nodiscard]] int replace_by_fresh(int fd, int family);

// For a socket with a fixed local port that has a connection to the SOCKS server already: several connections from one
// port are no conflict for the program, because their destinations differ, but all of them lead to that server. A
// socket like it, but with a free port, replaces it. The fixed port; 0: there is none, or it could not be replaced.
[[nodiscard]] uint16_t replace_bound(int fd, int family);

} // namespace socksify
