// SPDX-License-Identifier: MIT
#include "calls/bind.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "handshake/exchange.h"
#include "handshake/trace.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include "sockets/epoll_mask.h"
#include "sockets/readiness.h"
#include <cerrno>
#include <netinet/tcp.h>

namespace socksify {
namespace {

// A TCP socket that is not bound, listening or connected.
bool is_untouched(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (tcp_state(fd) != TCP_CLOSE || REAL(getsockname)(fd, address, &length) != 0)
    return false;
  const auto local = IpPort::from(address, length);
  return local && local->port == 0;
}

// An address that stands for calls over IPv4: 0.0.0.0, a v4-mapped one, or :: where the socket takes IPv4 as
// well.
bool takes_ipv4(int fd, const Ip& ip) {
  if (ip.is_ipv4())
    return true;
  int v6only = 1;
  socklen_t length = sizeof v6only;
  return ip.is_any() && REAL(getsockopt)(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length) == 0 && !v6only;
}

} // namespace

bool remember_bind(int fd, const IpPort& requested, int family) {
  if (config().bind == Bind::off || sockets::empty())
    return false;
  KeepErrno keep;
  const uint32_t ip = requested.ip.is_ipv4() ? requested.ip.ipv4() : 0;
  if (!takes_ipv4(fd, requested.ip) || (requested.ip.is_loopback() && !sockets::is_reported(ip)))
    return false;
  if (domain_of(fd) != family || !is_untouched(fd))
    return false;
  const auto primary = sockets::primary_for(ip);
  if (!primary)
    return false;
  Socket socket{
      .state = State::bound, .family = static_cast<uint8_t>(family), .fd = fd, .requested = {ip, requested.port}};
  socket.primary() = {config().bind == Bind::any ? 0 : primary->peer.ip, primary->peer.port};
  socket.server = primary->server;
  if (is_logged(3))
    log(3, FMT_COMPILE("fd {}: bound to {}, for a call from {}"), fd, fake_ips::shown(socket.requested).view(),
        fake_ips::shown(socket.primary()).view());
  return sockets::remember(sockets::identity(fd), socket);
}

int bind_locally(int fd, Endpoint requested, int family) {
  KeepErrno keep;
  for (;;) {
    const SocketAddress address{requested, family};
    if (REAL(bind)(fd, address.get(), address.length) == 0)
      return 0;
    if (errno != EADDRNOTAVAIL || !sockets::is_reported(requested.ip))
      return errno;
    requested.ip = 0;
  }
}

int bind_for_connect(int fd, sockets::Identity key, const Socket& socket) {
  if (socket.state != State::bound) {
    disconnect(fd, socket.family);
    set_low_water_mark(fd, socket.kept_low_water_mark());
  }
  sockets::forget(key);
  return bind_locally(fd, socket.requested, socket.family);
}

int start_bind(int fd, Socket& socket) {
  if (socket.state != State::bound)
    return 0;
  if (is_logged(2))
    log(2, FMT_COMPILE("fd {}: BIND for a call from {}, userid {}"), fd, fake_ips::shown(socket.primary()).view(),
        userid());
  const auto request = request_for(socks4::Command::bind, socket.primary());
  if (!request)
    return EHOSTUNREACH;
  const int low_water_mark = sockopts::reset_low_water_mark(fd);
  const Exchange done = exchange(fd, socket.family, *request, Mode::blocking, socket.server);
  trace::connect_finished(done.handshake, done.attempt, done.deadline, done.error);
  if (done.error) {
    if (low_water_mark != 1)
      set_low_water_mark(fd, low_water_mark);
    return done.error;
  }
  KeepErrno keep;
  forks::start_tracking(); // a child may take the call
  socket.state = State::listening;
  socket.local = done.reported();
  socket.kept_low_water_mark() = low_water_mark;
  set_low_water_mark(fd, socks4::reply_size); // ready when a whole reply is there
  if (!sockets::remember(sockets::identity(fd), socket)) {
    disconnect(fd, socket.family);
    return ENOBUFS;
  }
  readiness::bind_started();
  return 0;
}

bool bind_by_listening(int fd) {
  if (sockets::empty())
    return false;
  KeepErrno keep;
  const int family = domain_of(fd);
  IpPort any;
  if (family != AF_INET6)
    any.ip = Ip::from(0);
  return remember_bind(fd, any, family);
}

int start_listening(int fd, Socket& socket) {
  if (const int error = start_bind(fd, socket))
    return error;
  socket.is_listening = true;
  const sockets::Identity key = sockets::identity(fd);
  if (!sockets::remember(key, socket))
    return ENOBUFS;
  epoll::listens(key, true);
  return 0;
}

// As the kernel does it: a listening socket has nothing to send, and ends to listen when it is to receive no more.
int shut_down_bind(int fd, Socket socket, int how) {
  if (!socket.is_listening)
    return ENOTCONN;
  KeepErrno keep;
  socket.state = State::bound;
  socket.is_listening = false;
  const sockets::Identity key = sockets::identity(fd);
  if (how == SHUT_WR || !sockets::transition(key, State::listening, socket))
    return 0;
  REAL(shutdown)(fd, SHUT_RDWR); // for an accept() that blocks
  disconnect(fd, socket.family);
  set_low_water_mark(fd, socket.kept_low_water_mark());
  epoll::listens(key, false);
  return 0;
}

} // namespace socksify
