// SPDX-License-Identifier: MIT
// A socket's membership in epoll sets, as the program changes it.
#pragma once
#include "sockets/epoll_registrations.h"

namespace socksify::epoll {

// epoll_ctl() on a socket.
int control(Identity identity, int epfd, int operation, int fd, epoll_event* event);

} // namespace socksify::epoll
