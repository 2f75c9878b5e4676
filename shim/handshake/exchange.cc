// SPDX-License-Identifier: MIT
#include "handshake/exchange.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "handshake/handshake.h"
#include "handshake/server_choice.h"
#include "kernel/deadline.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include "sockets/unix_server.h"
#include <algorithm>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>

namespace socksify {
namespace {

// The kernel itself gives up a connect() after about so many milliseconds (tcp_syn_retries).
constexpr int kernel_limit = 127'000;

// Makes a blocking connect() end in time where the user wants less patience than the kernel has.
class SendTimeout {
public:
  SendTimeout(int fd, int milliseconds) : m_fd(milliseconds < kernel_limit ? fd : -1) {
    socklen_t length = sizeof m_before;
    if (m_fd < 0 || REAL(getsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, &length) != 0)
      return;
    milliseconds = std::max(milliseconds, 1); // 0 would be no limit
    const timeval limit{milliseconds / 1000, milliseconds % 1000 * 1000};
    const int64_t before = int64_t{m_before.tv_sec} * 1000 + m_before.tv_usec / 1000;
    const bool is_less = (m_before.tv_sec || m_before.tv_usec) && before < milliseconds;
    if (is_less)
      m_fd = -1; // the program has less patience still
    else
      REAL(setsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~SendTimeout() {
    if (m_fd >= 0)
      REAL(setsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, sizeof m_before);
  }
  SendTimeout(const SendTimeout&) = delete;
  SendTimeout& operator=(const SendTimeout&) = delete;

private:
  int m_fd;
  timeval m_before{};
};

// With one server only: a request that has been sent tells no more whether its server was reached. 0 on a socket that
// blocks: who waits for the handshake waits for the connection, too.
std::optional<int> connect_fast(int fd, const SocketAddress& server, Handshake& handshake) {
  if (!config().fast_open || config().server_count != 1)
    return std::nullopt;
  const int error = handshake.open(fd, server.get(), server.length);
  if (error == EOPNOTSUPP) // the administrator has switched it off, or it is no socket that can do it
    return std::nullopt;
  const bool is_on_its_way = error == 0 || error == EINPROGRESS;
  return is_on_its_way ? fcntl(fd, F_GETFL) & O_NONBLOCK ? EINPROGRESS : 0 : error;
}

// 0, EINPROGRESS, EINTR, or why it failed.
int connect_to(int fd, const SocketAddress& server, Deadline deadline, bool at_once) {
  if (at_once)
    return connect_nonblocking(fd, server) == 0 ? 0 : errno;
  SendTimeout limited(fd, deadline.left());
  if (REAL(connect)(fd, server.get(), server.length) == 0)
    return 0;
  const int error = errno;
  if (error == EINPROGRESS && deadline.left() == 0)
    return ETIMEDOUT; // our own limit, on a socket that blocks
  return error;
}

int wait_connected(int fd, Deadline deadline, bool wait) {
  for (;;) {
    const int error = wait_for(fd, POLLOUT, deadline);
    if (!error)
      return consume_socket_error(fd);
    if (!(wait && error == EINTR))
      return error;
  }
}

// Takes the next server, with its share of the time that is left. False when there is none.
bool choose(Attempt& attempt, int only, Deadline deadline) {
  const int number = only < 0 ? servers::next(attempt.tried) : attempt.tried ? -1 : only;
  if (number < 0)
    return false;
  const int left = only < 0 ? config().server_count - std::popcount(attempt.tried) : 1;
  attempt.server = static_cast<uint8_t>(number);
  attempt.tried |= static_cast<uint8_t>(1u << number);
  attempt.limit = left == 1 ? deadline : Deadline::after(deadline.left() / left);
  return true;
}

// `early` is what may be sent with the SYN; null: nothing.
int connect_once(int fd, int family, Attempt& attempt, bool at_once, Handshake* early) {
  attempt.ip = 0;
  if (const Server& server = config().servers[attempt.server]; server.is_unix)
    return connect_unix(fd, server.host.c_str(), attempt.limit.left(), at_once);
  const auto server = servers::endpoint(attempt.server);
  if (server)
    attempt.ip = server->ip;
  if (!server)
    return EHOSTUNREACH;
  const SocketAddress address{*server, family};
  const auto result = early ? connect_fast(fd, address, *early) : std::nullopt;
  return result ? *result : connect_to(fd, address, attempt.limit, at_once);
}

// True if the next server is to be tried. The socket is fresh again, then.
bool has_failed(int fd, int family, const Attempt& attempt, int error) {
  if (!servers::is_unreached(error))
    return false;
  const Server& server = config().servers[attempt.server];
  log(2, FMT_COMPILE("fd {}: no connection to the SOCKS server {}: {}"), fd, server.host.view(),
      attempt.ip || server.is_unix ? error_name(error) : "its name cannot be resolved");
  servers::note_unreached(attempt.server);
  disconnect(fd, family);
  return true;
}

// Connects to the first server that can be reached.
int connect_to_any(int fd, int family, Exchange& result, Mode mode, Deadline limit, int only) {
  const bool wait = mode == Mode::blocking;
  int error = EHOSTUNREACH;
  while (choose(result.attempt, only, result.deadline)) {
    error = connect_once(fd, family, result.attempt, mode == Mode::nonblocking, wait ? nullptr : &result.handshake);
    const bool is_on_its_way = error == EINPROGRESS || error == EINTR;
    if ((wait && is_on_its_way) || (error == EINTR && signals_restart()))
      error = wait_connected(fd, std::min(result.attempt.limit, limit), wait);
    if (!has_failed(fd, family, result.attempt, error) || limit.left() == 0)
      break;
  }
  return error;
}

// After `limit`, the program's own, the handshake goes on by itself: EINPROGRESS, as the kernel says then.
int run(int fd, Handshake& handshake, Deadline deadline, Deadline limit, bool wait) {
  while (const short events = handshake.step(fd)) {
    const int error = wait_for(fd, events, std::min(deadline, limit));
    if (error && !(wait && error == EINTR))
      return error == ETIMEDOUT && limit < deadline ? EINPROGRESS : error;
  }
  return handshake.error();
}

} // namespace

Exchange exchange(int fd, int family, Handshake handshake, Mode mode, int only) {
  KeepErrno keep;
  const bool wait = mode == Mode::blocking, at_once = mode == Mode::nonblocking;
  Exchange result{handshake, Deadline::after(int64_t{config().timeout} * 1000), {}};
  const Deadline limit = wait ? Deadline::never() : sockopts::send_deadline(fd);
  result.error = connect_to_any(fd, family, result, mode, limit, only);
  // Other threads, and signal handlers that jump out of connect(), are to see a socket that is still connecting.
  result.must_wait = !result.error && !wait && !at_once;
  if (!result.error && !wait)
    result.error = EINPROGRESS;
  if (!result.error)
    result.error = run(fd, result.handshake, result.deadline, limit, wait);
  if (result.error && (wait || !result.is_pending()))
    disconnect(fd, family);
  return result;
}

int try_next(int fd, int family, Attempt& attempt, Deadline deadline, int error) {
  KeepErrno keep;
  // Another socket in this one's place would have another identity, by which nobody knows the CONNECT.
  for (int number = 0; number < config().server_count; ++number)
    if (config().servers[number].is_unix)
      attempt.tried |= static_cast<uint8_t>(1u << number);
  while (has_failed(fd, family, attempt, error) && choose(attempt, -1, deadline))
    error = connect_once(fd, family, attempt, true, nullptr);
  return error;
}

std::optional<Handshake> request_for(socks4::Command command, Endpoint destination) {
  if (!fake_ips::is_fake_ip(destination.ip))
    return Handshake{command, destination};
  const auto name = fake_ips::name_of(destination.ip);
  if (name)
    return Handshake{command, destination, *name};
  log(1, FMT_COMPILE("{}: EHOSTUNREACH: the name behind this fake IP is no longer known"), to_text(destination).view());
  return std::nullopt;
}

Endpoint Exchange::reported_by(const Handshake& handshake, uint32_t server) {
  Endpoint endpoint = handshake.endpoint();
  // Some servers repeat the request here; no connection has the same address at both ends.
  if (endpoint == handshake.destination() && handshake.command() == socks4::Command::connect)
    endpoint = {};
  if (endpoint.ip == 0)
    endpoint.ip = server;
  return endpoint;
}

void disconnect(int fd, int family) {
  KeepErrno keep;
  if (servers::any_unix())
    restore_tcp(fd, family);
  dissolve_connection(fd);
}

} // namespace socksify
