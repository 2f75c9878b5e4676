// SPDX-License-Identifier: MIT
// One socket in the place of another one: on its number, on those of its dups, and in epoll sets, with its time limits.
#pragma once
#include "base/fd.h"

namespace socksify {

// `except`: a number that keeps the old socket. 0 or an errno.
[[nodiscard]] int take_place(int fd, const Fd& replacement, int except = -1);

// A server on a Unix socket cannot be reached by a TCP socket: another one takes the place of the program's, with its
// status flags. Other options of TCP and IP have no meaning there.

// Connects such a one. 0, or EINPROGRESS where the program's does not block; or an errno, and that one is as it was.
[[nodiscard]] int connect_unix(int fd, const char* path, int milliseconds, bool at_once);

// If it is one: a fresh TCP socket takes its place.
void take_back_unix(int fd, int family);

bool is_unix(int fd);

} // namespace socksify
