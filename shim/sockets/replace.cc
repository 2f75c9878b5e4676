// SPDX-License-Identifier: MIT
#include "sockets/replace.h"
#include "base/text.h"
#include "calls/epoll_ctl.h"
#include "kernel/open_fds.h"
#include "kernel/real.h"
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace socksify {
namespace {

bool take_number(int number, const Fd& replacement) {
  epoll::Move move{number};
  const int close_on_exec = fcntl(number, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
  int tries = 3; // EINTR: a signal while it closed what was there; EBUSY: another thread is opening something
  bool done = false;
  while (!(done = dup3(replacement.get(), number, close_on_exec) == number) && --tries > 0)
    if (errno != EINTR && errno != EBUSY)
      break;
  const int error = errno;
  move.finish(number);
  errno = error;
  return done;
}

// A call on the one waits for as long as it would on the other.
void copy_limits(int from, int to) {
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    timeval limit{};
    socklen_t length = sizeof limit;
    if (REAL(getsockopt)(from, SOL_SOCKET, option, &limit, &length) == 0)
      REAL(setsockopt)(to, SOL_SOCKET, option, &limit, sizeof limit);
  }
}

int replace(int fd, const Fd& replacement) {
  fcntl(replacement.get(), F_SETFL, fcntl(fd, F_GETFL));
  return take_place(fd, replacement);
}

} // namespace

int take_place(int fd, const Fd& replacement, int except) {
  const sockets::Identity key = sockets::identity(fd);
  copy_limits(fd, replacement.get());
  if (!take_number(fd, replacement))
    return errno;
  for_each_open_fd([&](int other) {
    if (other != except && sockets::identity(other) == key)
      take_number(other, replacement);
  });
  return 0;
}

int connect_unix(int fd, const char* path, int milliseconds, bool at_once) {
  const bool is_nonblocking = fcntl(fd, F_GETFL) & O_NONBLOCK;
  const int waits = at_once || is_nonblocking ? SOCK_NONBLOCK : 0;
  const Fd stream{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | waits, 0)};
  if (!stream)
    return errno;
  // Only a full backlog can make it wait: EAGAIN, then.
  const timeval limit{milliseconds / 1000, (milliseconds % 1000 + 1) * 1000 % 1'000'000};
  REAL(setsockopt)(stream.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_un address{AF_UNIX, {}};
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (REAL(connect)(stream.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return errno;
  const int error = replace(fd, stream);
  return !error && is_nonblocking ? EINPROGRESS : error; // as TCP would say, so that nobody waits for the reply
}

void take_back_unix(int fd, int family) {
  KeepErrno keep;
  const Fd fresh = is_unix(fd) ? Fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)} : Fd{};
  if (fresh) [[maybe_unused]]
    const int error = replace(fd, fresh);
}

bool is_unix(int fd) {
  KeepErrno keep;
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

} // namespace socksify
