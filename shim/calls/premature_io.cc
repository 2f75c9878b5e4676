// SPDX-License-Identifier: MIT
#include "calls/premature_io.h"
#include "handshake/deferred_error.h"
#include "handshake/progress.h"
#include "kernel/readable.h"
#include "kernel/sockopts.h"
#include "sockets/readiness.h"
#include <cerrno>
#include <climits>
#include <csignal>
#include <sys/socket.h>

namespace socksify::premature_io {
namespace {

// 0; or -1, with errno, if a CONNECT is in progress or its failure is unreported.
int await_or_fail(int fd, int flags, Limit limit) {
  int error = await_connection(fd, flags & MSG_DONTWAIT ? Mode::nonblocking : Mode::like_socket, limit);
  if (!error)
    error = deferred_error::consume_for_io(fd);
  return returned(error);
}

} // namespace

// Urgent bytes and the error queue do not belong to the handshake.
int check_receive(int fd, int flags) {
  if (!(flags & MSG_ERRQUEUE) && readiness::awaits_call(fd))
    return fail(ENOTCONN);
  return flags & (MSG_OOB | MSG_ERRQUEUE) ? 0 : await_or_fail(fd, flags, sockopts::receive_deadline);
}

// EPIPE and SIGPIPE, as from the kernel for a socket that is not connected.
int check_send(int fd, int flags) {
  if (!readiness::awaits_call(fd))
    return await_or_fail(fd, flags, sockopts::send_deadline);
  if (!(flags & MSG_NOSIGNAL))
    raise(SIGPIPE);
  return fail(EPIPE);
}

bool is_usable(const iovec* parts, size_t count) {
  return count <= IOV_MAX && is_readable(parts, count * sizeof *parts);
}

bool is_empty(const iovec* parts, int count) {
  if (count < 0 || !is_usable(parts, static_cast<size_t>(count)))
    return true;
  size_t size = 0;
  for (int i = 0; i < count; ++i)
    size |= parts[i].iov_len;
  return size == 0;
}

} // namespace socksify::premature_io
