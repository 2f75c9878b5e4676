// SPDX-License-Identifier: MIT
// Sending to an address: with MSG_FASTOPEN this connects as well, and a datagram may be refused.
#pragma once
#include "kernel/call.h"
#include <sys/socket.h>

namespace socksify::sending {

// MSG_FASTOPEN with an address: the connect(). After 0 the data can be sent.
Outcome connect_to_send(int fd, const void* address, socklen_t length, int flags);

// sendmsg().
ssize_t message(int fd, const msghdr* message, int flags);
// sendmmsg().
int messages(int fd, mmsghdr* messages, unsigned count, int flags);

} // namespace socksify::sending
