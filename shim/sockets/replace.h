// SPDX-License-Identifier: MIT
// Puts another socket on the descriptors of one: the number itself, its dups in this process, its epoll registrations
// and its time limits.
#pragma once
#include "base/fd.h"

namespace socksify {

// `except`: a number that keeps the old socket. 0 or an errno.
[[nodiscard]] int replace_socket(int fd, const Fd& replacement, int except = -1);

} // namespace socksify
