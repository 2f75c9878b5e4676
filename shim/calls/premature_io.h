// SPDX-License-Identifier: MIT
// Calls that move data before there is a connection. During a CONNECT they act as on a socket that is connecting:
// EAGAIN, or wait. After a failed CONNECT the first of them fails with its errno. On a BIND that awaits its call they
// fail as on any listening socket. Fast path: three relaxed loads, then the real call.
#pragma once
#include "kernel/readable.h"
#include "sockets/unfinished.h"
#include <sys/socket.h>
#include <sys/uio.h>

namespace socksify::premature_io {

// 0: the call may go on; -1: it fails, with errno.
int check_receive(int fd, int flags);
int check_send(int fd, int flags);

// False if the kernel rejects this as an array of parts.
bool is_usable(const iovec* parts, size_t count);
inline bool is_usable(const msghdr& message) { return is_usable(message.msg_iov, message.msg_iovlen); }
inline bool is_usable(const mmsghdr& message) { return is_usable(message.msg_hdr); }

// True if the kernel returns before it asks the socket: there is nothing to move, or this is no array of parts.
bool is_empty(const iovec* parts, int count);

inline bool needs_check() { return any_connecting() || any_awaiting_call() || any_unreported(); }

// True if the call fails, with errno.
inline bool fails_receive(int fd, int flags = 0) { return needs_check() && check_receive(fd, flags) != 0; }
inline bool fails_send(int fd, int flags = 0) { return needs_check() && check_send(fd, flags) != 0; }

// A message header that cannot be read is the kernel's to refuse.
template <typename Message> bool fails_receive_into(int fd, const Message* message, int flags) {
  return needs_check() && is_readable(message) && is_usable(*message) && check_receive(fd, flags) != 0;
}

inline bool fails_receive(int fd, const iovec* parts, int count, int flags = 0) {
  return needs_check() && !is_empty(parts, count) && check_receive(fd, flags) != 0;
}

inline bool fails_send(int fd, const iovec* parts, int count, int flags = 0) {
  return needs_check() && !is_empty(parts, count) && check_send(fd, flags) != 0;
}

} // namespace socksify::premature_io
