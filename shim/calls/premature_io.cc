// SPDX-License-Identifier: MIT
#include "calls/premature_io.h"
#include "handshake/progress.h"
#include "kernel/sockopts.h"
#include <cerrno>
#include <csignal>
#include <sys/socket.h>

namespace socksify::premature_io {
namespace {

// The answer to a call that comes too early, or first after a failure, with errno set; 0: it does neither.
int await_or_fail(int fd, int flags, Limit limit) {
  int error = await_connection(fd, !(flags & MSG_DONTWAIT), limit);
  if (!error)
    error = deferred_error::consume_for_io(fd);
  if (error)
    errno = error;
  return error ? -1 : 0;
}

// True if this is the socket of a BIND, on which all bytes are the SOCKS server's and ours.
bool awaits_call(int fd) {
  const auto socket = readiness::any() ? sockets::find_fd(fd) : std::nullopt;
  const bool is_so = socket && socket->awaits_call();
  if (!is_so && readiness::any())
    readiness::note_miss();
  return is_so;
}

} // namespace

// Urgent bytes and the error queue are not the handshake's.
int fail_to_receive(int fd, int flags) {
  if (!(flags & MSG_ERRQUEUE) && awaits_call(fd)) {
    errno = ENOTCONN;
    return -1;
  }
  return flags & (MSG_OOB | MSG_ERRQUEUE) ? 0 : await_or_fail(fd, flags, sockopts::receive_deadline);
}

// The kernel's way to say that a socket is not connected.
int fail_to_send(int fd, int flags) {
  if (!awaits_call(fd))
    return await_or_fail(fd, flags, sockopts::send_deadline);
  if (!(flags & MSG_NOSIGNAL))
    raise(SIGPIPE);
  errno = EPIPE;
  return -1;
}

// The kernel does not even ask a socket, then.
bool is_nothing(const iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; parts && i < count; ++i)
    size |= parts[i].iov_len;
  return size == 0;
}

} // namespace socksify::premature_io
