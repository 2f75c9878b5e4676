// SPDX-License-Identifier: MIT
#include "calls/bind.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "handshake/exchange.h"
#include "handshake/server_choice.h"
#include "handshake/trace.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include "sockets/epoll/mask.h"
#include "sockets/readiness.h"
#include "sockets/replace.h"
#include <cerrno>
#include <netinet/tcp.h>
#include <tuple>
#include <utility>

namespace socksify {
namespace {

// True for a TCP socket that is not bound, listening or connected.
bool is_untouched(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (tcp_state(fd) != TCP_CLOSE || REAL(getsockname)(fd, address, &length) != 0)
    return false;
  const auto local = IpPort::from(address, length);
  return local && local->port == 0;
}

// True for addresses that receive calls over IPv4: 0.0.0.0, a v4-mapped one, or :: if the socket accepts IPv4.
bool takes_ipv4(int fd, const Ip& ip) {
  if (ip.is_ipv4())
    return true;
  int v6only = 1;
  socklen_t length = sizeof v6only;
  return ip.is_any() && REAL(getsockopt)(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length) == 0 && !v6only;
}

// The primary connection for a bind() to this address; nothing if the bind() is a plain local one.
std::optional<Socket> primary_of(int fd, const Ip& requested, int family) {
  const uint32_t ip = requested.is_ipv4() ? requested.ipv4() : 0;
  if (!takes_ipv4(fd, requested) || (requested.is_loopback() && !sockets::is_reported(ip)))
    return std::nullopt;
  if (domain_of(fd) != family || !is_untouched(fd))
    return std::nullopt;
  const auto primary = sockets::primary_for(ip);
  // A server's word does not make a private listener public.
  const bool stays_local = requested.is_loopback() && primary && !servers::is_on_this_host(primary->server);
  return stays_local ? std::nullopt : primary;
}

// The host that a BIND beside this connection waits for.
Endpoint expected_caller(const Socket& primary) {
  const Endpoint peer = primary.as<Connected>().peer;
  return {config().bind == Bind::any ? 0 : peer.ip, peer.port};
}

// Takes the socket back from a BIND.
void undo_bind(int fd, const Socket& socket) {
  disconnect(fd, socket.family);
  set_low_water_mark(fd, socket.as<AwaitingCall>().low_water_mark);
}

// Takes the socket back from a dummy listener, which is bound to loopback for good.
void undo_dummy(int fd, const Socket& socket) {
  if (const int error = replace_by_fresh(fd, socket.family))
    log(1, "fd {}: cannot be used again after listen(): {}", fd, error_name(error));
}

// The socket stays bound, as in the kernel.
void stop_listening(int fd, const Socket& socket) {
  KeepErrno keep;
  const Uninterrupted whole;
  const Socket bound = transitions::unlistened(socket);
  sockets::Identity key = sockets::identity(fd);
  if (!sockets::transition(key, socket.is<DummyListener>() ? State::dummy_listener : State::listening, bound))
    return;
  REAL(shutdown)(fd, SHUT_RDWR); // wakes an accept() that blocks
  socket.is<DummyListener>() ? undo_dummy(fd, socket) : undo_bind(fd, socket);
  if (const sockets::Identity before = std::exchange(key, sockets::identity(fd)); key != before) {
    std::ignore = sockets::remember(key, bound); // else it is a fresh socket to the library
    sockets::forget(before);
  }
  epoll::set_listener(key, false);
}

// The BIND was granted. 0 or an errno.
int await_call(Socket& socket, Endpoint local, Beginning& begun) {
  KeepErrno keep;
  const Uninterrupted whole;
  const int fd = begun.fd;
  forks::start_tracking(); // a child may accept the call
  socket = transitions::bind_granted(socket, local, begun.low_water_mark);
  set_low_water_mark(fd, socks4::reply_size); // readable when the whole reply is there
  if (!sockets::remember(sockets::identity(fd), socket))
    return ENOBUFS;
  begun.is_over = true;
  readiness::bind_started();
  return 0;
}

// Makes the request. 0 or an errno.
int request_call(int fd, Socket& socket, const Handshake& request) {
  const NoCancellation whole;
  Beginning begun{fd, socket.family};
  const Exchange done = exchange(fd, socket.family, request, Mode::blocking, socket.server);
  trace::connect_finished(done.handshake, done.attempt, done.deadline, done.error);
  const bool is_granted = done.result == Exchange::Result::granted;
  const int error = is_granted ? await_call(socket, done.reported(), begun) : done.error;
  if (error)
    begun.undo();
  return error;
}

// Of other servers it is known neither that their clients need an address nor that a BIND disturbs nobody.
bool has_address_to_learn(const Socket& socket) {
  constexpr uint16_t ftp = 21;
  return config().bind != Bind::off && socket.is<Connected>() && socket.as<Connected>().has_guessed_ip &&
         socket.as<Connected>().peer.port == ftp;
}

// The address in the reply to a BIND that is given up at once. Nothing: the server has not said.
std::optional<uint32_t> address_by_bind(const Socket& primary) {
  constexpr int64_t limit = 5000;
  const auto request = request_for(socks4::Command::bind, expected_caller(primary));
  const NoCancellation whole;
  Fd fd;
  const OnLeaving leaving{[](void* left) { static_cast<Fd*>(left)->reset(); }, &fd};
  fd = Fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!request || !fd)
    return std::nullopt;
  const Exchange done = exchange(fd.get(), AF_INET, *request, Mode::blocking, primary.server, limit);
  const linger reset{1, 0}; // the server notices at once
  REAL(setsockopt)(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const bool has_address = done.result == Exchange::Result::granted && Exchange::has_address(done.handshake);
  if (is_logged(2))
    log(2, "the address for calls is {}", has_address ? to_text(done.reported()).view() : "unknown");
  return has_address ? std::optional{done.reported().ip} : std::nullopt;
}

} // namespace

bool remember_bind(int fd, const IpPort& requested, int family) {
  if (config().bind == Bind::off || sockets::empty())
    return false;
  KeepErrno keep;
  const auto primary = primary_of(fd, requested.ip, family);
  if (!primary)
    return false;
  const Bound bound{.requested = {requested.ip.is_ipv4() ? requested.ip.ipv4() : 0, requested.port},
                    .primary = expected_caller(*primary)};
  if (is_logged(3))
    log(3, "fd {}: bound to {}, for a call from {}", fd, fake_ips::shown(bound.requested).view(),
        fake_ips::shown(bound.primary).view());
  return sockets::remember(sockets::identity(fd), Socket{State::bound, bound, family, fd, primary->server});
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
  if (socket.is<AwaitingCall>())
    undo_bind(fd, socket);
  sockets::forget(key);
  const Endpoint requested = socket.is<Bound>() ? socket.as<Bound>().requested : socket.as<AwaitingCall>().requested;
  return bind_locally(fd, requested, socket.family);
}

int start_bind(int fd, Socket& socket) {
  if (!socket.is<Bound>())
    return 0;
  const Endpoint primary = socket.as<Bound>().primary;
  if (is_logged(2))
    log(2, "fd {}: BIND for a call from {}, userid {}", fd, fake_ips::shown(primary).view(), userid());
  const auto request = request_for(socks4::Command::bind, primary);
  if (!request)
    return EHOSTUNREACH;
  return request_call(fd, socket, *request);
}

void learn_address(int fd, Socket& socket) {
  if (!has_address_to_learn(socket))
    return;
  KeepErrno keep;
  const uint32_t guess = socket.as<Connected>().local.ip;
  socket = transitions::learned(socket, address_by_bind(socket).value_or(guess));
  sockets::transition(sockets::identity(fd), State::connected, socket);
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
  const Uninterrupted whole;
  socket = transitions::listened(socket);
  const sockets::Identity key = sockets::identity(fd);
  if (!sockets::remember(key, socket))
    return ENOBUFS;
  epoll::set_listener(key, true);
  return 0;
}

// As in the kernel: a listening socket has nothing to send, and stops listening on shutdown(SHUT_RD).
int shut_down_bind(int fd, const Socket& socket, int how) {
  if (!socket.is_listener())
    return ENOTCONN;
  if (how != SHUT_WR)
    stop_listening(fd, socket);
  return 0;
}

void dissolve_bind(int fd, const Socket& socket) {
  if (socket.is_listener())
    stop_listening(fd, socket);
}

} // namespace socksify
