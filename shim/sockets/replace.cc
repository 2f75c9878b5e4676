// SPDX-License-Identifier: MIT
#include "sockets/replace.h"
#include "kernel/real.h"
#include "sockets/epoll/move.h"
#include "sockets/open_fds.h"
#include <sys/socket.h>
#include <sys/time.h>

namespace socksify {
namespace {

bool replace_number(int number, const Fd& replacement) {
  epoll::Move move{number};
  const int close_on_exec = fcntl(number, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
  int tries = 3; // EINTR: a signal came while the old socket was closed; EBUSY: another thread is opening a file
  bool done = dup3(replacement.get(), number, close_on_exec) == number;
  while (!done && (errno == EINTR || errno == EBUSY) && --tries > 0)
    done = dup3(replacement.get(), number, close_on_exec) == number;
  const int error = errno;
  move.finish();
  errno = error;
  return done;
}

// So that calls wait as long on the new socket as on the old one.
void copy_limits(int from, int to) {
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    timeval limit{};
    socklen_t length = sizeof limit;
    if (REAL(getsockopt)(from, SOL_SOCKET, option, &limit, &length) == 0)
      REAL(setsockopt)(to, SOL_SOCKET, option, &limit, sizeof limit);
  }
}

} // namespace

int replace_socket(int fd, const Fd& replacement, int except) {
  const Uninterrupted whole;
  const sockets::Identity key = sockets::identity(fd);
  copy_limits(fd, replacement.get());
  if (!replace_number(fd, replacement))
    return errno;
  for_each_open_fd([&](int other) {
    if (other != except && sockets::identity(other) == key)
      replace_number(other, replacement);
  });
  return 0;
}

} // namespace socksify
