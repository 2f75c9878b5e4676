// SPDX-License-Identifier: MIT
// A SOCKS server on a Unix socket. A TCP socket cannot reach it, so a Unix socket replaces the program's, with its
// status flags. Other options of TCP and IP have no meaning there.
#pragma once

namespace socksify {

// Connects a Unix socket and replaces the program's by it. 0; EINPROGRESS if the program's does not block; or an errno,
// and the program's socket is unchanged.
[[nodiscard]] int connect_unix(int fd, const char* path, int milliseconds, bool nonblocking);

// Replaces a Unix socket by a fresh TCP socket; does nothing to any other.
void restore_tcp(int fd, int family);

bool is_unix(int fd);

} // namespace socksify
