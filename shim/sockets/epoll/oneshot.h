// SPDX-License-Identifier: MIT
// EPOLLONESHOT: only the kernel knows whether a registration has reported its one event.
#pragma once
#include <cstdint>

namespace socksify::epoll {

// True if `fd` is in the set with EPOLLONESHOT among its `events`, and has reported one since it was armed.
bool is_spent(int epfd, int fd, uint32_t events);

} // namespace socksify::epoll
