// SPDX-License-Identifier: MIT
// The exported functions that change a socket or ask what is in it: ioctl(), setsockopt(), shutdown(), where the kernel
// would act on the connection to the SOCKS server, of which the program is not to know.
#include "calls/bind.h"
#include "config/config.h"
#include "handshake/pending.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "sockets/readiness.h"
#include <cerrno>
#include <cstdarg>
#include <sys/ioctl.h>
#include <sys/socket.h>

using namespace socksify;

#if __TIMESIZE == 32 // what programs with a time of 64 bits call there
extern "C" {
int __ioctl_time64(int fd, unsigned long request, ...) noexcept;
int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept;
}
#endif

namespace {

// FIONREAD while a CONNECT is on its way, or a BIND waits for its call: what comes is the handshake's.
std::optional<int> count_for(int fd, unsigned long request, void* argument) {
  if (request != FIONREAD || !argument || sockets::empty())
    return std::nullopt;
  const auto socket = progress(fd);
  if (!socket || !(is_pending(socket) || socket->is_waiting()))
    return std::nullopt;
  if (socket->is_waiting() && socket->is_listening) {
    errno = EINVAL; // as for any listening socket
    return -1;
  }
  *static_cast<int*>(argument) = 0;
  return 0;
}

// SO_RCVLOWAT while a CONNECT is on its way, or a BIND waits for its call.
bool is_set_later(int fd, int level, int option, const void* value, socklen_t length) {
  return level == SOL_SOCKET && option == SO_RCVLOWAT && (pending::any() || readiness::any()) && value &&
         length >= sizeof(int) && set_low_water_mark_later(fd, *static_cast<const int*>(value));
}

// After shutdown() the kernel, too, says EISCONN to the connect() that would have been told of the connection.
void end_news(int fd, Socket socket) {
  socket.success_unreported = false;
  sockets::transition(sockets::identity(fd), State::connected, socket);
}

int noted(int level, int option, int result) {
  if (result == 0)
    sockopts::record_use(level, option);
  return result;
}

} // namespace

HOOK int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto counted = count_for(fd, request, argument);
  return counted ? *counted : REAL(ioctl)(fd, request, argument);
}

HOOK int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (is_set_later(fd, level, option, value, length))
    return 0;
  const int error = errno, result = noted(level, option, REAL(setsockopt)(fd, level, option, value, length));
  const bool has_no_meaning = result != 0 && errno == EOPNOTSUPP && level != SOL_SOCKET && servers::any_unix();
  if (!has_no_meaning || !sockets::find_fd(fd)) // but on a Unix socket that serves as one of TCP
    return result;
  errno = error;
  return 0;
}

// The kernel ends a connection that is only being made.
HOOK int shutdown(int fd, int how) noexcept {
  const bool is_valid = how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR;
  const auto socket = is_valid && !sockets::empty() ? progress(fd) : std::nullopt;
  if (socket && socket->awaits_call()) {
    const int error = shut_down_bind(fd, *socket, how);
    errno = error ? error : errno;
    return error ? -1 : 0;
  }
  if (socket && socket->state == State::connected && socket->success_unreported)
    end_news(fd, *socket);
  if (!is_pending(socket))
    return REAL(shutdown)(fd, how);
  abandon(fd);
  const sockaddr nobody{AF_UNSPEC, {}};
  return REAL(connect)(fd, &nobody, sizeof nobody);
}

#if __TIMESIZE == 32
HOOK int __ioctl_time64(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto counted = count_for(fd, request, argument);
  return counted ? *counted : REAL(__ioctl_time64)(fd, request, argument);
}

HOOK int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (is_set_later(fd, level, option, value, length))
    return 0;
  return noted(level, option, REAL(__setsockopt64)(fd, level, option, value, length));
}
#endif
