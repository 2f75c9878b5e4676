// SPDX-License-Identifier: MIT
#include "sockets/unix_server.h"
#include "kernel/real.h"
#include "sockets/replace.h"
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <tuple>

namespace socksify {
namespace {

int replace_with_flags(int fd, const Fd& replacement) {
  fcntl(replacement.get(), F_SETFL, fcntl(fd, F_GETFL));
  return replace_socket(fd, replacement);
}

void open_stream(Fd& stream, int flags) {
  const Uninterrupted whole;
  stream = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
}

} // namespace

int connect_unix(int fd, const char* path, int milliseconds, Mode mode) {
  const bool is_nonblocking = fcntl(fd, F_GETFL) & O_NONBLOCK;
  const int waiting = mode == Mode::nonblocking || is_nonblocking ? SOCK_NONBLOCK : 0;
  Fd stream;
  const OnLeaving leaving{[](void* left) { static_cast<Fd*>(left)->reset(); }, &stream};
  open_stream(stream, waiting);
  if (!stream)
    return errno;
  // connect() waits only while the server's backlog is full, and fails with EAGAIN at the limit.
  const timeval limit{milliseconds / 1000, (milliseconds % 1000 + 1) * 1000 % 1'000'000};
  REAL(setsockopt)(stream.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_un address{AF_UNIX, {}};
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (REAL(connect)(stream.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return errno;
  const int error = replace_with_flags(fd, stream);
  return !error && is_nonblocking ? EINPROGRESS : error; // as TCP says, so that the caller does not wait for the reply
}

void restore_tcp(int fd, int family) {
  KeepErrno keep;
  const Uninterrupted whole;
  const Fd fresh = is_unix(fd) ? Fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)} : Fd{};
  if (fresh)
    std::ignore = replace_with_flags(fd, fresh);
}

bool is_unix(int fd) {
  KeepErrno keep;
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

} // namespace socksify
