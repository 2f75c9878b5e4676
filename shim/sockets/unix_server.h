// SPDX-License-Identifier: MIT
// A SOCKS server on a Unix socket. A TCP socket cannot connect to it, so a Unix socket with the same status flags
// replaces the program's socket. Options of TCP and IP have no meaning there.
#pragma once
#include "kernel/call.h"

namespace socksify {

// Connects a Unix socket, which then replaces the program's socket. 0; EINPROGRESS if the program's socket does not
// block; or an errno, with the program's socket unchanged.
[[nodiscard]] int connect_unix(int fd, const char* path, int milliseconds, Mode mode);

// Replaces a Unix socket by a fresh TCP socket; leaves any other socket alone.
void restore_tcp(int fd, int family);

bool is_unix(int fd);

} // namespace socksify
