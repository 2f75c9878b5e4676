// SPDX-License-Identifier: MIT
// ioctl(), setsockopt() and shutdown(), where the kernel would act on the connection to the SOCKS server.
#include "calls/bind.h"
#include "calls/options.h"
#include "handshake/progress.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include <cstdarg>
#include <sys/ioctl.h>
#include <sys/socket.h>

using namespace socksify;

namespace {

// Ends a connection that is still being made, as the kernel does.
int cancel_connect(int fd) {
  abandon(fd);
  const sockaddr nobody{AF_UNSPEC, {}};
  return REAL(connect)(fd, &nobody, sizeof nobody);
}

// A connect() after shutdown() returns EISCONN, as in the kernel, even if it is the first since the success.
void stop_reporting_success(int fd, const Socket& socket) {
  if (socket.as<Connected>().success_unreported)
    sockets::transition(sockets::identity(fd), State::connected, transitions::reported(socket));
}

int set_option(int fd, int level, int option, const void* value, socklen_t length) {
  const int before = errno;
  const int result = REAL(setsockopt)(fd, level, option, value, length);
  if (result == 0)
    sockopts::record_use(level, option);
  if (!options::is_meaningless(fd, level, result))
    return result;
  errno = before;
  return 0;
}

} // namespace

HOOK int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return answered(options::count_unread(fd, request, argument), [&] { return REAL(ioctl)(fd, request, argument); });
}

HOOK int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  return answered(options::set(fd, level, option, value, length),
                  [&] { return set_option(fd, level, option, value, length); });
}

HOOK int shutdown(int fd, int how) noexcept {
  const bool is_valid = how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR;
  const auto socket = is_valid && !sockets::empty() ? progress(fd) : std::nullopt;
  if (!socket)
    return REAL(shutdown)(fd, how);
  if (socket->is<AwaitingCall>() || socket->is_listener())
    return returned(shut_down_bind(fd, *socket, how));
  if (socket->is<Pending>())
    return cancel_connect(fd);
  if (socket->is<Connected>())
    stop_reporting_success(fd, *socket);
  return REAL(shutdown)(fd, how);
}
