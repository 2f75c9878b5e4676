// SPDX-License-Identifier: MIT
#include "sockets/replace.h"
#include "base/address.h"
#include "kernel/real.h"
#include "sockets/epoll/move.h"
#include "sockets/open_fds.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
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

struct Option {
  int level, name;
};
// What programs set before they connect; each is an int.
constexpr Option options[] = {
    {SOL_SOCKET, SO_REUSEADDR},  {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_OOBINLINE},  {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_RCVLOWAT},   {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},  {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_SYNCNT},   {IPPROTO_TCP, TCP_QUICKACK},
    {IPPROTO_IP, IP_TOS},        {IPPROTO_IP, IP_TTL},
    {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_IPV6, IPV6_TCLASS},
};

void copy_option(int from, int to, Option option) {
  int value = 0, fresh = 0;
  socklen_t length = sizeof value;
  if (REAL(getsockopt)(from, option.level, option.name, &value, &length) == 0 &&
      REAL(getsockopt)(to, option.level, option.name, &fresh, &length) == 0 && value != fresh)
    REAL(setsockopt)(to, option.level, option.name, &value, sizeof value);
}

// The kernel doubles what it is given.
void copy_size(int from, int to, int name) {
  int value = 0, fresh = 0;
  socklen_t length = sizeof value;
  if (REAL(getsockopt)(from, SOL_SOCKET, name, &value, &length) != 0 ||
      REAL(getsockopt)(to, SOL_SOCKET, name, &fresh, &length) != 0 || value == fresh)
    return;
  value /= 2;
  REAL(setsockopt)(to, SOL_SOCKET, name, &value, sizeof value);
}

void copy_options(int from, int to) {
  for (const Option option : options)
    copy_option(from, to, option);
  copy_size(from, to, SO_RCVBUF);
  copy_size(from, to, SO_SNDBUF);
  linger at_close{};
  socklen_t length = sizeof at_close;
  if (REAL(getsockopt)(from, SOL_SOCKET, SO_LINGER, &at_close, &length) == 0 && at_close.l_onoff)
    REAL(setsockopt)(to, SOL_SOCKET, SO_LINGER, &at_close, sizeof at_close);
  fcntl(to, F_SETFL, fcntl(from, F_GETFL));
}

// Binds the socket to any port of the program's address. False if that fails.
bool bind_freely(int fd, const IpPort& local, int family) {
  if (local.ip.is_any())
    return true;
  const SocketAddress address{{local.ip.ipv4(), 0}, family};
  return local.ip.is_ipv4() && REAL(bind)(fd, address.get(), address.length) == 0;
}

} // namespace

int replace_by_fresh(int fd, int family) {
  const Uninterrupted whole;
  const Fd fresh{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fresh)
    return errno;
  copy_options(fd, fresh.get());
  return replace_socket(fd, fresh);
}

uint16_t replace_bound(int fd, int family) {
  const KeepErrno keep;
  const Uninterrupted whole;
  SocketAddress address;
  address.length = sizeof address.storage;
  if (REAL(getsockname)(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    return 0;
  const auto local = IpPort::from(address.get(), address.length);
  if (!local || local->port == 0)
    return 0;
  const Fd fresh{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fresh || !bind_freely(fresh.get(), *local, family))
    return 0;
  copy_options(fd, fresh.get());
  return replace_socket(fd, fresh) == 0 ? local->port : uint16_t{0};
}

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
