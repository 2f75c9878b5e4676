// SPDX-License-Identifier: MIT
// What machine code does, as far as one can tell without running it.
#pragma once
#include <string_view>

namespace socksify::machine_code {

// True if the code makes a system call of epoll_wait(), epoll_pwait() or epoll_pwait2() by itself, instead of calling
// libc: it loads the number of one and, a few instructions later, enters the kernel. x86-64 only.
bool waits_by_epoll(std::string_view code);

} // namespace socksify::machine_code
