// SPDX-License-Identifier: MIT
// Calls that move data before there is a connection. On a socket whose CONNECT is on its way they act as on one that is
// connecting: EAGAIN, or wait. On one whose CONNECT has failed the first of them is told why. On one that waits for a
// call by a BIND they fail as on any listening socket. With nothing of any kind, which is a few loads to know, they go
// on at once.
#pragma once
#include "handshake/deferred_error.h"
#include "handshake/pending.h"
#include "sockets/readiness.h"
#include <sys/uio.h>

namespace socksify::premature_io {

// 0: not too early; -1: it is, with errno.
int fail_to_receive(int fd, int flags);
int fail_to_send(int fd, int flags);

bool is_nothing(const iovec* parts, int count);

inline bool needs_check() { return pending::any() || readiness::any() || deferred_error::any(); }
inline int is_premature_receive(int fd, int flags = 0) { return needs_check() ? fail_to_receive(fd, flags) : 0; }
inline int is_premature_send(int fd, int flags = 0) { return needs_check() ? fail_to_send(fd, flags) : 0; }

inline int is_premature_receive(int fd, const iovec* parts, int count, int flags = 0) {
  return needs_check() && !is_nothing(parts, count) ? fail_to_receive(fd, flags) : 0;
}

inline int is_premature_send(int fd, const iovec* parts, int count, int flags = 0) {
  return needs_check() && !is_nothing(parts, count) ? fail_to_send(fd, flags) : 0;
}

} // namespace socksify::premature_io
