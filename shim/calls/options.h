// SPDX-License-Identifier: MIT
// getsockopt(), setsockopt() and ioctl(), where the kernel would answer for the connection to the SOCKS server.
#pragma once
#include "kernel/call.h"
#include <sys/socket.h>

namespace socksify::options {

// getsockopt() of SO_ERROR, SO_ACCEPTCONN, SO_RCVLOWAT and, with a server on a Unix socket, SO_DOMAIN and SO_PROTOCOL.
Outcome get(int fd, int level, int option, void* value, socklen_t* length);

// SO_RCVLOWAT during a CONNECT, and while a BIND awaits its call, when the value in the kernel is ours.
Outcome set(int fd, int level, int option, const void* value, socklen_t length);

// FIONREAD at those times: the bytes that arrive belong to the handshake.
Outcome count_unread(int fd, unsigned long request, void* argument);

// True if the real call failed only because the socket is a Unix socket in place of a TCP socket: options of TCP and IP
// have no meaning there. REQUIRES: `result` and errno are those of the real call.
bool is_meaningless(int fd, int level, int result);

} // namespace socksify::options
