// SPDX-License-Identifier: MIT
// EPOLLONESHOT: whether the one shot has been fired, which only the kernel knows.
#pragma once
#include <cstdint>

namespace socksify::epoll {

// True if `fd` is in the set with EPOLLONESHOT among its `events`, and spent.
bool is_spent(int epfd, int fd, uint32_t events);

} // namespace socksify::epoll
