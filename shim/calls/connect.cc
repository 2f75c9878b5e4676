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
#include "handshake/unseen_waits.h"
#include "kernel/readable.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include "sockets/epoll/set.h"
#include "sockets/unix_server.h"
#include <cerrno>
#include <cstddef>
#include <netinet/tcp.h>
#include <pthread.h>

namespace socksify {
namespace {

bool is_new_connection(const Socket& socket) {
  return socket.is<Connected>() && socket.as<Connected>().success_unreported;
}

// The first connect() after the CONNECT was granted returns 0, later ones EISCONN.
int connect_granted(sockets::Identity key, const Socket& socket) {
  sockets::transition(key, State::connected, transitions::reported(socket));
  return socket.as<Connected>().success_unreported ? 0 : EISCONN;
}

// connect() after the end of a CONNECT, with the kernel's errno for it.
int connect_ended(int fd, sockets::Identity key, const Socket& socket) {
  // The other side may have reset the connection before the program asked for it.
  if (socket.is<Failed>() || (is_new_connection(socket) && tcp_state(fd) == TCP_CLOSE)) {
    const int error = deferred_error::consume_and_forget(fd, key, socket);
    return error ? error : ECONNABORTED; // as the kernel returns once SO_ERROR was read
  }
  return connect_granted(key, socket);
}

int disconnect_and_fail(int fd, int family, int error) {
  disconnect(fd, family);
  return error;
}

// The rest of a connect() that blocks: its CONNECT is left to progress().
int wait_in_connect(int fd, int family, sockets::Identity key) {
  if (const int error = await_end(key, fd, sockopts::send_deadline(fd))) {
    if (error == EAGAIN || error == EINTR)
      return error == EAGAIN ? EINPROGRESS : error;
    abandon(fd); // poll() itself failed
    return disconnect_and_fail(fd, family, error);
  }
  auto socket = sockets::lookup(key);
  if (!socket) {
    key = sockets::identity(fd); // a Unix socket that failed was replaced
    socket = sockets::lookup(key);
  }
  if (!socket)
    return ECONNABORTED;
  return is_new_connection(*socket) ? connect_granted(key, *socket) : connect_ended(fd, key, *socket);
}

// The same for a socket that does not block, of a program whose wait for the end would not be seen.
int wait_unasked(int fd, int family, sockets::Identity key) {
  int error = EINTR;
  while (error == EINTR)
    error = wait_in_connect(fd, family, key);
  return error;
}

// How a connect() to this address goes. A socket that is not TCP, or already connected, is left to the kernel: direct.
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
  // A program may speak SOCKS to the server itself.
  if (way == Route::proxy)
    servers::endpoint(0); // looks up the server's name, if that is not done yet
  if (way == Route::proxy && servers::includes(destination->endpoint()))
    return Route::direct;
  return way;
}

// The exchange is pending: leaves it to progress(). 0 or an errno.
int leave_to_progress(sockets::Identity& key, Endpoint destination, const Exchange& started, Beginning& socket) {
  const Uninterrupted whole;
  if (!key || config().servers[started.attempt.server].is_unix || started.attempt.bound_port)
    key = sockets::identity(socket.fd);
  const Pending pending{.low_water_mark = socket.low_water_mark, .peer = destination};
  const Socket registered{State::pending, pending, socket.family, socket.fd};
  if (const int error = start_pending(key, registered, started))
    return error;
  socket.is_over = true;
  return 0;
}

// Connects to a server and starts the handshake, or fails. What connect() returns, or 0 if it waits for the end.
int start(int fd, sockets::Identity& key, int family, const Handshake& request, Mode mode) {
  Beginning socket{fd, family};
  const Exchange started = exchange(fd, family, request, mode);
  int error = started.error;
  if (started.result == Exchange::Result::pending)
    if (const int failed = leave_to_progress(key, request.destination(), started, socket))
      error = failed;
  if (socket.is_over)
    return error;
  trace::connect_finished(started.handshake, started.attempt, started.deadline, error);
  socket.undo();
  return error;
}

// 0 or an errno. EINPROGRESS and EINTR: the CONNECT is in progress.
int connect_through(int fd, sockets::Identity key, int family, Endpoint destination, Mode mode) {
  KeepErrno keep;
  if (is_logged(2))
    log(2, "fd {}: CONNECT {}, userid {}", fd, fake_ips::shown(destination).view(), userid());
  const auto request = request_for(socks4::Command::connect, destination);
  if (!request)
    return EHOSTUNREACH;
  const int error = start(fd, key, family, *request, mode);
  if (error == EINPROGRESS && has_unseen_waits())
    return wait_unasked(fd, family, key);
  return error ? error : wait_in_connect(fd, family, key);
}

// connect() on a socket that the library remembers. Not ours: the socket is free for a new connection.
Outcome connect_again(int fd, sockets::Identity key, Mode mode) {
  KeepErrno keep;
  auto socket = sockets::lookup(key);
  if (is_pending(socket)) {
    if (const int error = await_connection(fd, mode, sockopts::send_deadline))
      return error == EAGAIN ? EALREADY : error;
    socket = sockets::lookup(key);
  }
  if (!socket)
    return Outcome::not_ours();
  if (socket->is<Connected>() || socket->is<Failed>())
    return connect_ended(fd, key, *socket);
  // The kernel would return 0 the first time: for the kernel, this is the end of our own connect() to the server.
  if (socket->is<Accepted>() || socket->is_listening_bind())
    return EISCONN;
  const Uninterrupted whole;
  const int error = socket->is_bind() ? bind_for_connect(fd, key, *socket) : 0;
  return error ? Outcome{error} : Outcome::not_ours();
}

void log_route(int fd, Route way, const sockaddr* address, socklen_t length) {
  constexpr const char* names[] = {"direct", "through the SOCKS server", "unreachable, being IPv6", "denied"};
  if (const auto destination = is_logged(3) ? IpPort::from(address, length) : std::nullopt)
    log(3, "fd {}: {}: {}", fd, destination->ip.is_ipv4() ? to_text(destination->endpoint()).view() : "IPv6",
        names[static_cast<int>(way)]);
}

// Given an IPv4 address, an IPv6 socket rejects the length of ours, which is that of an IPv4 address, with EINVAL. If
// the program's length is enough for IPv6, the kernel would reject the family instead.
bool is_of_other_family(int fd, const sockaddr* address, socklen_t length, int error) {
  constexpr socklen_t shortest_ipv6 = offsetof(sockaddr_in6, sin6_scope_id);
  return error == EINVAL && address->sa_family == AF_INET && length >= shortest_ipv6 && domain_of(fd) == AF_INET6;
}

Outcome connect_fresh(int fd, sockets::Identity key, const sockaddr* address, socklen_t length, Mode mode) {
  const Route way = route_of(fd, address, length);
  log_route(fd, way, address, length);
  if (way == Route::direct)
    return Outcome::not_ours();
  IpPort destination = *IpPort::from(address, length);
  if (destination.ip.is_ipv4() && destination.ip.is_any())
    destination.ip = Ip::from(INADDR_LOOPBACK); // as the kernel takes 0.0.0.0
  if (way == Route::proxy) {
    const int error = connect_through(fd, key, address->sa_family, destination.endpoint(), mode);
    return is_of_other_family(fd, address, length, error) ? EAFNOSUPPORT : error;
  }
  trace::rejected(destination, way);
  return way == Route::denied ? EACCES : ENETUNREACH;
}

// True if the socket may have been connected, for all that the kernel tells: an ended connection looks like a fresh
// socket.
bool may_have_connected(int fd) {
  const auto state = config().active ? tcp_state(fd) : std::nullopt;
  return state ? state != unknown_tcp_state : servers::any_unix() && is_unix(fd);
}

// The program takes the socket back from its connection, and may connect it again. Not ours: the kernel does the rest.
Outcome dissolve(int fd, sockets::Identity key) {
  const auto socket = key ? progress(fd) : std::nullopt; // a refusal stays in SO_ERROR
  if (socket && (socket->is_bind() || socket->is_listener())) {
    dissolve_bind(fd, *socket);
    return 0;
  }
  if (may_have_connected(fd)) // whose registrations are not remembered
    epoll::adopt_registrations(sockets::identity(fd));
  if (key)
    abandon(fd);
  if (socket && servers::any_unix())
    restore_tcp(fd, socket->family); // the kernel would not disconnect a Unix socket
  return Outcome::not_ours();
}

} // namespace

Outcome connect_to(int fd, const sockaddr* address, socklen_t length, Mode mode) {
  if (!address || length < sizeof address->sa_family)
    return Outcome::not_ours(); // the kernel rejects this before it looks at the socket
  if (!is_active() || !is_readable(address, length))
    return Outcome::not_ours();
  pthread_testcancel(); // a cancellation that waits comes before the call has done anything
  const auto key = sockets::empty() ? 0 : sockets::identity(fd);
  if (address->sa_family == AF_UNSPEC)
    return dissolve(fd, key);
  const Outcome again = connect_again(fd, key, mode);
  return again.is_ours() ? again : connect_fresh(fd, key, address, length, mode);
}

} // namespace socksify
