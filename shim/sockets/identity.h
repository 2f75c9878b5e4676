// SPDX-License-Identifier: MIT
// SO_COOKIE, the kernel's identity of a socket: equal across dup, fork and SCM_RIGHTS, and never reused. An entry under
// this key can become useless, but never wrong, so close() needs no hook.
#pragma once
#include "kernel/real.h"
#include <cerrno>
#include <cstdint>
#include <sys/socket.h>

namespace socksify::sockets {

// 0: not a socket.
using Identity = uint64_t;

// For systems without SO_COOKIE: gVisor, qemu-user, some filters of system calls. Inode numbers are used again, but not
// before four thousand million others.
Identity identity_by_inode(int fd);

// Keeps errno. Inline, because a system call flushes the return predictor and every return costs a miss after it.
inline Identity identity(int fd) {
  const int kept = errno;
  Identity cookie = 0;
  socklen_t length = sizeof cookie;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0)
    return cookie;
  const bool is_no_socket = errno == ENOTSOCK || errno == EBADF;
  errno = kept;
  return is_no_socket ? 0 : identity_by_inode(fd);
}

// The number under which the socket is open in this process, or -1. Tries `hint` first.
int find_open_fd(Identity key, int hint);

} // namespace socksify::sockets
