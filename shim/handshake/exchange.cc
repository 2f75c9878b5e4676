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
#include "sockets/replace.h"
#include "sockets/unix_server.h"
#include <algorithm>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>
#include <tuple>

namespace socksify {
namespace {

// The kernel gives up a connect() after about this many milliseconds (tcp_syn_retries).
constexpr int kernel_limit = 127'000;

// Limits a blocking connect() to the time that the user configured, where that is less than the kernel's own limit and
// the program's.
class SendTimeout {
public:
  SendTimeout(int fd, int milliseconds)
      : m_leaving([](void* self) { static_cast<SendTimeout*>(self)->restore(); }, this) {
    socklen_t length = sizeof m_before;
    if (milliseconds >= kernel_limit || REAL(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, &length) != 0)
      return;
    milliseconds = std::max(milliseconds, 1); // 0 would be no limit
    const timeval limit{milliseconds / 1000, milliseconds % 1000 * 1000};
    const int64_t before = int64_t{m_before.tv_sec} * 1000 + m_before.tv_usec / 1000;
    if ((m_before.tv_sec || m_before.tv_usec) && before < milliseconds)
      return;
    m_fd = fd;
    REAL(setsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~SendTimeout() { restore(); }
  SendTimeout(const SendTimeout&) = delete;
  SendTimeout& operator=(const SendTimeout&) = delete;

private:
  void restore() {
    if (m_fd >= 0)
      REAL(setsockopt)(m_fd, SOL_SOCKET, SO_SNDTIMEO, &m_before, sizeof m_before);
  }

  int m_fd = -1; // -1: nothing was changed
  timeval m_before{};
  const OnLeaving m_leaving;
};

// Sends the request in the SYN. Only with one server: once a request is sent, nothing shows whether its server was
// reached. 0 on a socket that blocks, where the wait for the handshake includes the connection.
Outcome connect_fast(int fd, const SocketAddress& server, Handshake& handshake) {
  if (!config().fast_open || config().server_count != 1)
    return Outcome::not_ours();
  const int error = handshake.open(fd, server.get(), server.length);
  if (error == EOPNOTSUPP) // the administrator has switched it off, or the socket does not support it
    return Outcome::not_ours();
  if (error && error != EINPROGRESS)
    return error;
  return fcntl(fd, F_GETFL) & O_NONBLOCK ? EINPROGRESS : 0;
}

// 0, EINPROGRESS, EINTR, or why it failed.
int connect_to(int fd, const SocketAddress& server, Deadline deadline, Mode mode) {
  if (mode == Mode::nonblocking)
    return connect_nonblocking(fd, server) == 0 ? 0 : errno;
  SendTimeout limited(fd, deadline.left());
  if (REAL(connect)(fd, server.get(), server.length) == 0)
    return 0;
  const int error = errno;
  if (error == EINPROGRESS && deadline.left() == 0)
    return ETIMEDOUT; // our own limit, on a socket that blocks
  return error;
}

int wait_connected(int fd, Deadline deadline, Mode mode) {
  for (;;) {
    const int error = wait_for(fd, POLLOUT, deadline);
    if (!error)
      return consume_socket_error(fd);
    if (mode != Mode::blocking || error != EINTR)
      return error;
  }
}

// Chooses the next server, with its share of the time that is left. False if there is none.
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

// `early` may be sent with the SYN; null: nothing may.
int connect_once(int fd, int family, Attempt& attempt, Mode mode, Handshake* early) {
  attempt.ip = 0;
  if (const Server& server = config().servers[attempt.server]; server.is_unix)
    return connect_unix(fd, server.host.c_str(), attempt.limit.left(), mode);
  const auto server = servers::endpoint(attempt.server);
  if (!server)
    return EHOSTUNREACH;
  attempt.ip = server->ip;
  const SocketAddress address{*server, family};
  const Outcome fast = early ? connect_fast(fd, address, *early) : Outcome::not_ours();
  return fast.is_ours() ? fast.error() : connect_to(fd, address, attempt.limit, mode);
}

// True if the server was not reached, so that the next one should be tried. The socket is fresh again then.
bool give_up_server(int fd, int family, const Attempt& attempt, int error) {
  if (!servers::is_unreached(error))
    return false;
  const Server& server = config().servers[attempt.server];
  log(2, "fd {}: no connection to the SOCKS server {}: {}", fd, server.host.view(),
      attempt.ip || server.is_unix ? error_name(error) : "its name cannot be resolved");
  servers::mark_unreached(attempt.server);
  disconnect(fd, family);
  return true;
}

// Connects to the first server that can be reached. 0, EINPROGRESS, EINTR, or why none can.
int connect_to_any(int fd, int family, Exchange& result, Mode mode, int only) {
  const Deadline limit = mode == Mode::blocking ? Deadline::never() : sockopts::send_deadline(fd);
  Handshake* const early = mode == Mode::blocking ? nullptr : &result.handshake;
  int error = EHOSTUNREACH;
  while (choose(result.attempt, only, result.deadline)) {
    error = connect_once(fd, family, result.attempt, mode, early);
    if (error == EADDRNOTAVAIL && (result.attempt.bound_port = replace_bound(fd, family)))
      error = connect_once(fd, family, result.attempt, mode, early);
    const bool is_interrupted = error == EINPROGRESS || error == EINTR;
    if ((mode == Mode::blocking && is_interrupted) || (error == EINTR && signals_restart()))
      error = wait_connected(fd, std::min(result.attempt.limit, limit), mode);
    if (!give_up_server(fd, family, result.attempt, error) || limit.left() == 0)
      break;
  }
  return error;
}

// Waits for the end of the handshake. 0 or an errno.
int run_to_end(int fd, Handshake& handshake, Deadline deadline) {
  while (const short events = handshake.step(fd)) {
    const int error = wait_for(fd, events, deadline);
    if (error && error != EINTR)
      return error;
  }
  return handshake.error();
}

// The rest of an exchange that blocks.
void complete(int fd, int error, Exchange& exchange) {
  exchange.error = error ? error : run_to_end(fd, exchange.handshake, exchange.deadline);
  exchange.result = exchange.error ? Exchange::Result::failed : Exchange::Result::granted;
}

// Leaves the handshake to progress(), even where connect() waits for its end: other threads, and signal handlers that
// jump out of connect(), must see a socket that is still connecting.
void leave_pending(int error, Mode mode, Exchange& exchange) {
  const bool is_in_progress = error == 0 || error == EINPROGRESS || error == EINTR;
  exchange.result = is_in_progress ? Exchange::Result::pending : Exchange::Result::failed;
  exchange.error = error == 0 && mode == Mode::nonblocking ? EINPROGRESS : error;
}

// Some servers repeat the request's address here, but no connection has the same address at both ends.
Endpoint in_reply(const Handshake& handshake) {
  const bool is_echo =
      handshake.endpoint() == handshake.destination() && handshake.command() == socks4::Command::connect;
  return is_echo ? Endpoint{} : handshake.endpoint();
}

} // namespace

Exchange exchange(int fd, int family, Handshake handshake, Mode mode, int only, int64_t limit) {
  KeepErrno keep;
  Exchange result{.handshake = handshake, .deadline = Deadline::after(limit), .attempt = {}};
  const int error = connect_to_any(fd, family, result, mode, only);
  if (mode == Mode::blocking)
    complete(fd, error, result);
  else
    leave_pending(error, mode, result);
  return result;
}

int try_next(int fd, int family, Attempt& attempt, Deadline deadline, int error) {
  KeepErrno keep;
  // A Unix socket would replace this socket and have another identity, under which nobody would find the CONNECT.
  for (int number = 0; number < config().server_count; ++number)
    if (config().servers[number].is_unix)
      attempt.tried |= static_cast<uint8_t>(1u << number);
  while (give_up_server(fd, family, attempt, error) && choose(attempt, -1, deadline))
    error = connect_once(fd, family, attempt, Mode::nonblocking, nullptr);
  return error;
}

Beginning::Beginning(int its_fd, int its_family)
    : fd(its_fd), family(its_family), m_leaving([](void* self) { static_cast<Beginning*>(self)->undo(); }, this) {
  const Uninterrupted whole;
  low_water_mark = sockopts::reset_low_water_mark(fd);
}

void Beginning::undo() {
  if (is_over)
    return;
  is_over = true;
  disconnect(fd, family);
  if (low_water_mark != 1)
    set_low_water_mark(fd, low_water_mark);
}

std::optional<Handshake> request_for(socks4::Command command, Endpoint destination) {
  std::ignore = userid(); // looked up now, and not in the middle of a step
  if (!fake_ips::is_fake_ip(destination.ip))
    return Handshake{command, destination};
  const auto name = fake_ips::name_of(destination.ip);
  if (name)
    return Handshake{command, destination, *name};
  log(1, "{}: EHOSTUNREACH: the name behind this fake IP is no longer known", to_text(destination).view());
  return std::nullopt;
}

Endpoint Exchange::reported_by(const Handshake& handshake, uint32_t server) {
  Endpoint endpoint = in_reply(handshake);
  if (endpoint.ip == 0)
    endpoint.ip = config().address ? config().address : server;
  return endpoint;
}

bool Exchange::has_address(const Handshake& handshake) { return config().address || in_reply(handshake).ip; }

void disconnect(int fd, int family) {
  KeepErrno keep;
  if (servers::any_unix())
    restore_tcp(fd, family);
  dissolve_connection(fd);
}

} // namespace socksify
