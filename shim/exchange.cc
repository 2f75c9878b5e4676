// SPDX-License-Identifier: MIT
#include "exchange.h"
#include "config.h"
#include "fd.h"
#include "handshake.h"
#include "log.h"
#include "real.h"
#include "wait.h"
#include <cerrno>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>

namespace socksify {
namespace {

// The kernel itself gives up a connect() after about this many seconds (tcp_syn_retries).
constexpr unsigned kernel_limit = 127;

// Makes a blocking connect() end in time where the user wants less patience than the kernel has.
class SendTimeout {
public:
  SendTimeout(int fd, unsigned seconds) : m_fd(seconds < kernel_limit ? fd : -1) {
    socklen_t length = sizeof m_before;
    if (m_fd < 0 || REAL(getsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, &length) != 0)
      return;
    const timeval limit{static_cast<time_t>(seconds), 0};
    setsockopt(m_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~SendTimeout() {
    if (m_fd >= 0)
      setsockopt(m_fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, sizeof m_before);
  }
  SendTimeout(const SendTimeout&) = delete;
  SendTimeout& operator=(const SendTimeout&) = delete;

private:
  int m_fd;
  timeval m_before{};
};

int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int connect_to(int fd, const SocketAddress& server, Deadline deadline) {
  {
    SendTimeout limited(fd, config().timeout);
    if (REAL(connect)(fd, server.get(), server.length) == 0)
      return 0;
  }
  const bool goes_on = errno == EINPROGRESS || (errno == EINTR && signals_restart());
  if (!goes_on)
    return errno;
  const int error = wait_for(fd, POLLOUT, deadline);
  return error ? error : pending_error(fd);
}

int run(int fd, Handshake& handshake, Deadline deadline) {
  while (const short events = handshake.step(fd))
    if (const int error = wait_for(fd, events, deadline))
      return error;
  return handshake.error() ? handshake.error() : errno_of(handshake.reply().code);
}

Endpoint reported(const socks4::Reply& reply, const socks4::Request& request, Endpoint server) {
  Endpoint endpoint = reply.endpoint;
  // Some servers repeat the request here; no connection has the same address at both ends.
  if (endpoint == request.destination && request.command == socks4::Command::connect)
    endpoint = {};
  if (endpoint.ip == 0)
    endpoint.ip = server.ip;
  return endpoint;
}

} // namespace

Granted exchange(int fd, int family, const socks4::Request& request) {
  KeepErrno keep;
  const auto server = server_endpoint();
  if (!server) {
    log(1, FMT_COMPILE("the SOCKS server's name {} cannot be resolved"), config().server.host.view());
    return {EHOSTUNREACH, {}};
  }
  const auto deadline = Deadline::after_seconds(config().timeout);
  Handshake handshake{request};
  int error = connect_to(fd, SocketAddress{*server, family}, deadline);
  if (error)
    log(1, FMT_COMPILE("fd {}: no connection to the SOCKS server {}: errno {}"), fd, to_text(*server).view(),
        error);
  else
    error = run(fd, handshake, deadline);
  if (error) {
    disconnect(fd);
    return {error, {}};
  }
  return {0, reported(handshake.reply(), request, *server)};
}

void disconnect(int fd) {
  KeepErrno keep;
  const sockaddr nobody{AF_UNSPEC, {}};
  REAL(connect)(fd, &nobody, sizeof nobody);
}

std::optional<int> tcp_state(int fd) {
  KeepErrno keep;
  uint8_t state = 0; // the first byte of struct tcp_info
  socklen_t length = sizeof state;
  if (REAL(getsockopt)(fd, IPPROTO_TCP, TCP_INFO, &state, &length) == 0)
    return state;
  // A Multipath TCP socket without a subflow has no such information.
  int protocol = 0;
  length = sizeof protocol;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_MPTCP)
    return TCP_CLOSE;
  return std::nullopt;
}

} // namespace socksify
