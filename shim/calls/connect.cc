// SPDX-License-Identifier: MIT
#include "calls/connect.h"
#include "base/fd.h"
#include "calls/bind.h"
#include "config/config.h"
#include "config/log.h"
#include "config/route.h"
#include "handshake/deferred_error.h"
#include "handshake/exchange.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "handshake/trace.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include <cerrno>
#include <cstddef>
#include <netinet/tcp.h>
#include <utility>

namespace socksify {
namespace {

bool is_new_connection(const Socket& socket) { return socket.state == State::connected && socket.success_unreported; }

// The first connect() after the connection stands says so, later ones know it.
int heard(sockets::Identity key, Socket socket) {
  const bool success_unreported = std::exchange(socket.success_unreported, false);
  sockets::transition(key, State::connected, socket);
  return success_unreported ? 0 : EISCONN;
}

// The CONNECT is over, in the way that the program would hear of from the kernel.
int connect_after(int fd, sockets::Identity key, const Socket& socket) {
  const bool has_failed = socket.state == State::failed;
  // The other side has reset the connection before the program has asked what became of it.
  if (has_failed || (socket.success_unreported && tcp_state(fd) == TCP_CLOSE)) {
    const int error = deferred_error::consume_last(fd, key, socket);
    return error ? error : ECONNABORTED; // the kernel's word where the reason is known already
  }
  return heard(key, socket);
}

int fail_undone(int fd, int family, int error) {
  disconnect(fd, family);
  return error;
}

// A connect() that blocks, with its CONNECT left to all who wait.
int wait_in_connect(int fd, int family, sockets::Identity key) {
  if (const int error = await_end(key, fd, sockopts::send_deadline(fd))) {
    if (error == EAGAIN || error == EINTR)
      return error == EAGAIN ? EINPROGRESS : error;
    abandon(fd); // poll() itself failed
    return fail_undone(fd, family, error);
  }
  auto socket = sockets::find(key);
  if (!socket) {
    key = sockets::identity(fd); // another one if it was a Unix socket and has failed
    socket = sockets::find(key);
  }
  if (!socket)
    return ECONNABORTED;
  return is_new_connection(*socket) ? heard(key, *socket) : connect_after(fd, key, *socket);
}

// The way of a connect() with this address. What is no TCP socket, or connected already, is left to the kernel: direct.
Route route_of(int fd, const sockaddr* address, socklen_t length) {
  const auto destination = config().active ? IpPort::from(address, length) : std::nullopt;
  if (!destination)
    return Route::direct;
  const Route way = route(config(), *destination);
  const auto state = way == Route::direct ? std::nullopt : tcp_state(fd);
  if (state == unknown_tcp_state)
    return Route::denied; // rather than a direct connection by mistake
  if (state != TCP_CLOSE)
    return Route::direct;
  // A program may speak to the SOCKS server itself.
  if (way == Route::proxy)
    servers::endpoint(0); // its name may not have been looked up yet
  if (way == Route::proxy && servers::includes(destination->endpoint()))
    return Route::direct;
  return way;
}

// 0 or an errno. EINPROGRESS and EINTR: the CONNECT is on its way, as the kernel's own connection would be.
int connect_through(int fd, sockets::Identity key, int family, Endpoint destination, bool at_once) {
  KeepErrno keep;
  if (is_logged(2))
    log(2, FMT_COMPILE("fd {}: CONNECT {}, userid {}"), fd, fake_ips::shown(destination).view(), userid());
  const auto request = request_for(socks4::Command::connect, destination);
  if (!request)
    return EHOSTUNREACH;
  const int low_water_mark = sockopts::reset_low_water_mark(fd);
  Exchange done = exchange(fd, family, *request, at_once ? Mode::nonblocking : Mode::like_socket);
  if ((!key || config().servers[done.attempt.server].is_unix) && (!done.error || done.is_pending()))
    key = sockets::identity(fd);
  Socket socket{.family = static_cast<uint8_t>(family), .fd = fd, .peer = destination};
  if (done.is_pending()) {
    socket.low_water_mark() = static_cast<uint32_t>(low_water_mark);
    done.handshake.step(fd); // on a fast network the server is there already, and the request can go
    if (const int error = start_pending(key, socket, done))
      return fail_undone(fd, family, error);
    return done.must_wait ? wait_in_connect(fd, family, key) : done.error;
  }
  if (low_water_mark != 1)
    set_low_water_mark(fd, low_water_mark);
  trace::connect_finished(done.handshake, done.attempt, done.deadline, done.error);
  if (done.error)
    return done.error;
  socket.state = State::connected;
  socket.server = done.attempt.server;
  socket.local = done.reported();
  if (!sockets::remember(key, socket))
    return fail_undone(fd, family, ENOBUFS);
  return 0;
}

// connect() on a socket of which something is remembered: 0 or the errno that the kernel gives then; nothing if the
// socket is free for a new connection.
std::optional<int> connect_again(int fd, sockets::Identity key, bool at_once) {
  KeepErrno keep;
  auto socket = sockets::find(key);
  if (!socket)
    return std::nullopt;
  if (socket->state == State::pending) {
    if (const int error = await_connection(fd, !at_once, sockopts::send_deadline))
      return error == EAGAIN ? EALREADY : error;
    socket = sockets::find(key);
  }
  if (socket && (socket->state == State::connected || socket->state == State::failed))
    return connect_after(fd, key, *socket);
  // The kernel would say 0 the first time: for it, this is the end of our own connect() to the server.
  if (socket && socket->state == State::accepted)
    return EISCONN;
  if (!socket || !socket->is_waiting())
    return std::nullopt;
  const int error = socket->is_listening ? EISCONN : bind_for_connect(fd, key, *socket);
  return error ? std::optional<int>{error} : std::nullopt;
}

void log_route(int fd, Route way, const sockaddr* address, socklen_t length) {
  constexpr const char* names[] = {"direct", "through the SOCKS server", "unreachable, being IPv6", "denied"};
  if (const auto destination = config().debug < 3 ? std::nullopt : IpPort::from(address, length))
    log(3, FMT_COMPILE("fd {}: {}: {}"), fd,
        destination->ip.is_ipv4() ? to_text(destination->endpoint()).view() : "IPv6", names[static_cast<int>(way)]);
}

// An IPv6 socket that is given an IPv4 address finds fault with the length of ours, which is that of an IPv4 address.
// Where the program's is long enough for IPv6, the kernel finds fault with the family.
bool is_of_other_family(int fd, const sockaddr* address, socklen_t length, int error) {
  constexpr socklen_t shortest_ipv6 = offsetof(sockaddr_in6, sin6_scope_id);
  return error == EINVAL && address->sa_family == AF_INET && length >= shortest_ipv6 && domain_of(fd) == AF_INET6;
}

} // namespace

std::optional<int> connect_to(int fd, const sockaddr* address, socklen_t length, bool at_once) {
  if (!address || length < sizeof address->sa_family)
    return std::nullopt; // which the kernel refuses before it looks at the socket
  const auto key = sockets::empty() ? 0 : sockets::identity(fd);
  if (address->sa_family == AF_UNSPEC) {
    if (key)
      abandon(fd);
    return std::nullopt;
  }
  if (const auto error = connect_again(fd, key, at_once))
    return error;
  const Route way = route_of(fd, address, length);
  log_route(fd, way, address, length);
  switch (way) {
  case Route::direct:
    return std::nullopt;
  case Route::proxy: {
    const int error = connect_through(fd, key, address->sa_family, IpPort::from(address, length)->endpoint(), at_once);
    return is_of_other_family(fd, address, length, error) ? EAFNOSUPPORT : error;
  }
  case Route::unreachable:
  case Route::denied:
    trace::rejected(*IpPort::from(address, length), way);
    return way == Route::denied ? EACCES : ENETUNREACH;
  }
  return std::nullopt;
}

} // namespace socksify
