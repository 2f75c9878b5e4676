// SPDX-License-Identifier: MIT
// epoll_ctl() on sockets.
#pragma once
#include "sockets/epoll/registrations.h"

namespace socksify::epoll {

int control(Identity identity, int epfd, int operation, int fd, epoll_event* event);

} // namespace socksify::epoll
