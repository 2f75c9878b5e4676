// SPDX-License-Identifier: MIT
#include "kernel/tcp.h"
#include "base/fd.h"
#include "kernel/real.h"
#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>

namespace socksify {

int connect_nonblocking(int fd, const SocketAddress& address) {
  // sendto(MSG_FASTOPEN) without data is a plain connect() that respects MSG_DONTWAIT. O_NONBLOCK itself must not be
  // changed: other processes may share the open file.
  if (!(fcntl(fd, F_GETFL) & O_NONBLOCK)) {
    constexpr int flags = MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL;
    const ssize_t sent = REAL(sendto)(fd, "", 0, flags, address.get(), address.length);
    if (sent >= 0 || errno != EOPNOTSUPP) // EOPNOTSUPP: Fast Open is switched off
      return sent >= 0 ? 0 : -1;
  }
  return REAL(connect)(fd, address.get(), address.length);
}

void dissolve_connection(int fd) {
  KeepErrno keep;
  const sockaddr nobody{AF_UNSPEC, {}};
  REAL(connect)(fd, &nobody, sizeof nobody);
  consume_socket_error(fd); // it belongs to the old connection
}

int consume_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

void set_low_water_mark(int fd, int bytes) {
  KeepErrno keep;
  REAL(setsockopt)(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

std::optional<int> tcp_state(int fd) {
  KeepErrno keep;
  uint8_t state = 0; // the first byte of struct tcp_info
  socklen_t length = sizeof state;
  if (REAL(getsockopt)(fd, IPPROTO_TCP, TCP_INFO, &state, &length) == 0)
    return state;
  // A Multipath TCP socket without a subflow has no TCP_INFO, and a system call filter may forbid getsockopt().
  int protocol = 0;
  length = sizeof protocol;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0)
    return errno == EBADF || errno == ENOTSOCK ? std::nullopt : std::optional<int>{unknown_tcp_state};
  if (protocol == IPPROTO_MPTCP)
    return TCP_CLOSE;
  return protocol == IPPROTO_TCP ? std::optional<int>{unknown_tcp_state} : std::nullopt;
}

int domain_of(int fd) {
  KeepErrno keep;
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  REAL(getsockopt)(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
  return domain;
}

} // namespace socksify
