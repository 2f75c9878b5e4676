// SPDX-License-Identifier: MIT
#include "calls/options.h"
#include "base/fd.h"
#include "handshake/deferred_error.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/ioctl.h>

namespace socksify::options {
namespace {

// The errno of a CONNECT that has failed.
std::optional<int> socket_error(int fd) {
  const auto socket = progress(fd);
  if (!socket || !socket->is<Failed>())
    return std::nullopt;
  return deferred_error::consume(fd, sockets::identity(fd), *socket);
}

std::optional<int> low_water_mark(const Socket& socket) {
  if (socket.is<Pending>())
    return socket.as<Pending>().low_water_mark;
  if (socket.is<AwaitingCall>())
    return socket.as<AwaitingCall>().low_water_mark;
  return std::nullopt;
}

// The value of an option that is ours to answer; each is an int.
std::optional<int> value_of(int fd, int option) {
  if (option == SO_ERROR)
    return socket_error(fd);
  const auto socket = sockets::lookup_fd(fd);
  if (!socket)
    return std::nullopt;
  switch (option) {
  case SO_ACCEPTCONN:
    return socket->is_bind() ? std::optional<int>{socket->is_listening_bind()} : std::nullopt;
  case SO_RCVLOWAT:
    return low_water_mark(*socket);
  case SO_DOMAIN:
    return socket->family;
  case SO_PROTOCOL:
    return IPPROTO_TCP;
  }
  return std::nullopt;
}

// Stores a value as the kernel would, which goes first with another one, because the pointers may be bad. 0 or an
// errno.
int store(int fd, int number, void* value, socklen_t* length) {
  const KeepErrno keep;
  const socklen_t size = is_readable(length) ? *length : 0;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, value, length) != 0)
    return errno;
  std::memcpy(value, &number, std::min<socklen_t>(size, sizeof number));
  return 0;
}

bool may_be_ours(int option) {
  return option == SO_ERROR || option == SO_ACCEPTCONN || option == SO_RCVLOWAT ||
         (servers::any_unix() && (option == SO_DOMAIN || option == SO_PROTOCOL));
}

} // namespace

Outcome get(int fd, int level, int option, void* value, socklen_t* length) {
  if (level != SOL_SOCKET || !may_be_ours(option) || sockets::empty() || !value || !length)
    return Outcome::not_ours();
  const auto known = value_of(fd, option);
  return known ? Outcome{store(fd, *known, value, length)} : Outcome::not_ours();
}

Outcome set(int fd, int level, int option, const void* value, socklen_t length) {
  const bool may_be = level == SOL_SOCKET && option == SO_RCVLOWAT && (any_connecting() || any_awaiting_call());
  if (!may_be || length < sizeof(int) || !is_readable(value, sizeof(int)) ||
      !defer_low_water_mark(fd, *static_cast<const int*>(value)))
    return Outcome::not_ours();
  return 0;
}

Outcome count_unread(int fd, unsigned long request, void* argument) {
  if (request != FIONREAD || !argument || sockets::empty())
    return Outcome::not_ours();
  const auto socket = progress(fd);
  if (!socket || !(socket->is<Pending>() || socket->is_bind()))
    return Outcome::not_ours();
  if (socket->is_listening_bind())
    return EINVAL; // as for any listening socket
  const KeepErrno keep;
  if (REAL(ioctl)(fd, request, argument) != 0)
    return errno;
  *static_cast<int*>(argument) = 0;
  return 0;
}

bool is_meaningless(int fd, int level, int result) {
  return result != 0 && errno == EOPNOTSUPP && level != SOL_SOCKET && servers::any_unix() && sockets::lookup_fd(fd);
}

} // namespace socksify::options
