// SPDX-License-Identifier: MIT
// connect(), by CONNECT.
#pragma once
#include "kernel/call.h"
#include <sys/socket.h>

namespace socksify {

// connect() to this address; not ours: the real connect() decides. EINPROGRESS and EINTR: the CONNECT is in progress,
// as a connection of the kernel's would be.
Outcome connect_to(int fd, const sockaddr* address, socklen_t length, Mode mode);

} // namespace socksify
