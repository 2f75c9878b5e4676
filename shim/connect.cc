// SPDX-License-Identifier: MIT
#include "connect.h"
#include "config.h"
#include "epoll.h"
#include "exchange.h"
#include "fd.h"
#include "log.h"
#include "options.h"
#include "pending.h"
#include "real.h"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/time.h>

namespace socksify {
namespace {

bool is_nonblocking(int fd) {
  return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

void log_result(int fd, const Socket& socket) {
  if (socket.state == State::failed)
    log(1, FMT_COMPILE("fd {}: connection to {} failed: errno {}"), fd, to_text(socket.peer).view(),
        socket.error);
  else
    log(1, FMT_COMPILE("fd {}: connected to {}, which sees {}"), fd, to_text(socket.peer).view(),
        to_text(socket.local).view());
}

// Gives the socket the state of one whose connection was refused, so that every way of waiting shows it as it
// would show a direct one: no one can listen at port 0. The errno, where it is another, is ours to tell.
void show_failure(int fd, int family) {
  disconnect(fd);
  const SocketAddress nowhere{{INADDR_LOOPBACK, 0}, family};
  REAL(connect)(fd, nowhere.get(), nowhere.length);
}

// Leaves the handshake to those who wait for the socket.
int leave_pending(int fd, Socket socket, const Exchange& exchange) {
  const auto key = sockets::identity(fd);
  socket.state = State::pending;
  socket.local.ip = exchange.server;
  socket.slot = pending::begin(key, exchange.handshake, exchange.deadline);
  if (socket.slot < 0 || !sockets::remember(fd, socket)) {
    disconnect(fd);
    return ENOBUFS;
  }
  epoll::withhold(key, exchange.handshake.events());
  settle(fd); // on a fast network the server is there already, and the request can go
  return exchange.error;
}

// The handshake is over: the one thread that finds the socket still pending says so to all.
Socket conclude(sockets::Identity key, int fd, Socket socket, const Handshake& handshake) {
  socket.state = handshake.error() ? State::failed : State::connected;
  socket.error = static_cast<uint8_t>(handshake.error());
  socket.is_news = true;
  socket.fd = fd;
  const int slot = std::exchange(socket.slot, -1);
  if (socket.low_water_mark() != 1)
    set_low_water_mark(fd, static_cast<int>(socket.low_water_mark()));
  if (!handshake.error())
    socket.local = Exchange::reported_by(handshake, socket.local.ip);
  if (sockets::replace(key, State::pending, socket)) {
    log_result(fd, socket);
    pending::end(slot);
    epoll::give_back(key);
  } else {
    pending::at(slot).release();
  }
  return socket;
}

// One step, if no one else is at it.
Socket advance(sockets::Identity key, int fd, const Socket& socket) {
  Pending& pending = pending::at(socket.slot);
  if (!pending.hold(key))
    return sockets::find_by(key).value_or(socket);
  const short before = pending.handshake.events();
  if (!pending.is_over && pending.handshake.step(fd) && pending.deadline.left() == 0)
    pending.handshake.fail(ETIMEDOUT);
  if (const short events = pending.handshake.events()) {
    if (events != before)
      epoll::withhold(key, events);
    pending.release();
    return socket;
  }
  if (!pending.is_over && pending.handshake.error())
    show_failure(fd, socket.family);
  pending.is_over = true;
  return conclude(key, fd, socket, pending.handshake);
}

Deadline receive_deadline(int fd) {
  timeval limit{};
  socklen_t length = sizeof limit;
  if (!options::uses_receive_timeout() ||
      REAL(getsockopt)(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length) != 0 ||
      (!limit.tv_sec && !limit.tv_usec))
    return Deadline::never();
  return Deadline::after(limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000);
}

// A program that wants many bytes at a time would not be woken for the 8 of a reply.
int take_low_water_mark(int fd) {
  int bytes = 1;
  socklen_t length = sizeof bytes;
  if (!options::uses_low_water_mark() || REAL(getsockopt)(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &length) != 0)
    return 1;
  if (bytes != 1)
    set_low_water_mark(fd, 1);
  return bytes;
}

void drop(sockets::Identity key, const Socket& socket) {
  Pending& pending = pending::at(socket.slot);
  if (pending.hold(key))
    pending::end(socket.slot);
}

} // namespace

Route route_of(int fd, const sockaddr* address, socklen_t length) {
  const auto destination = config().active ? IpPort::from(address, length) : std::nullopt;
  if (!destination)
    return Route::direct;
  const Route way = route(config(), *destination);
  if (way != Route::direct && tcp_state(fd) != TCP_CLOSE)
    return Route::direct;
  // A program may speak to the SOCKS server itself.
  if (way == Route::proxy && server_endpoint() == destination->endpoint())
    return Route::direct;
  return way;
}

int connect_through(int fd, int family, Endpoint destination) {
  KeepErrno keep;
  const int low_water_mark = take_low_water_mark(fd);
  log(2, FMT_COMPILE("fd {}: CONNECT {}, userid {}"), fd, to_text(destination).view(),
      config().userid.view());
  const Exchange done = exchange(fd, family, Handshake{socks4::Command::connect, destination}, false);
  Socket socket{.family = static_cast<uint8_t>(family), .peer = destination};
  if (done.is_pending()) {
    socket.low_water_mark() = static_cast<uint32_t>(low_water_mark);
    return leave_pending(fd, socket, done);
  }
  if (low_water_mark != 1)
    set_low_water_mark(fd, low_water_mark);
  socket.state = done.error ? State::failed : State::connected;
  socket.error = static_cast<uint8_t>(done.error);
  if (!done.error)
    socket.local = done.reported();
  log_result(fd, socket);
  if (done.error)
    return done.error;
  if (!sockets::remember(fd, socket)) {
    disconnect(fd);
    return ENOBUFS;
  }
  return 0;
}

std::optional<int> connect_again(int fd) {
  KeepErrno keep;
  auto socket = settle(fd);
  if (socket && socket->state == State::pending) {
    if (const int error = await_connection(fd, true))
      return error == EAGAIN ? EALREADY : error;
    socket = sockets::find(fd);
  }
  if (!socket)
    return std::nullopt;
  if (socket->state == State::failed) {
    // The kernel's words when SO_ERROR has told the reason already.
    const int error = socket->error ? socket->error : ECONNABORTED;
    disconnect(fd);
    sockets::forget(fd);
    return error;
  }
  if (socket->state != State::connected)
    return std::nullopt;
  const bool is_news = std::exchange(socket->is_news, false);
  sockets::replace(sockets::identity(fd), State::connected, *socket);
  return is_news ? 0 : EISCONN;
}

std::optional<Socket> settle(int fd) {
  if (!pending::any())
    return sockets::find(fd);
  KeepErrno keep;
  const auto key = sockets::identity(fd);
  const auto socket = sockets::find_by(key);
  if (!socket || socket->state != State::pending)
    return socket;
  return advance(key, fd, *socket);
}

Socket settle_by(sockets::Identity key, const Socket& socket) {
  const bool is_there = socket.state == State::pending && sockets::identity(socket.fd) == key;
  return is_there ? advance(key, socket.fd, socket) : socket;
}

int await_connection(int fd, bool may_block) {
  if (!pending::any())
    return 0;
  KeepErrno keep;
  auto socket = settle(fd);
  if (!socket || socket->state != State::pending) {
    note_miss();
    return 0;
  }
  if (!may_block || is_nonblocking(fd))
    return EAGAIN;
  const Deadline limit = receive_deadline(fd);
  for (; socket && socket->state == State::pending; socket = settle(fd)) {
    const Pending& pending = pending::at(socket->slot);
    const int error = wait_for(fd, pending.handshake.events(), std::min(pending.deadline, limit));
    if (error == ETIMEDOUT && limit.left() == 0)
      return EAGAIN;
    if (error && error != ETIMEDOUT)
      return error;
  }
  return 0;
}

std::optional<int> take_error(int fd) {
  auto socket = settle(fd);
  if (!socket || socket->state != State::failed || !socket->error)
    return std::nullopt;
  const int error = std::exchange(socket->error, 0);
  if (!sockets::replace(sockets::identity(fd), State::failed, *socket))
    return std::nullopt;
  return error;
}

void abandon(int fd) {
  const auto key = sockets::identity(fd);
  const auto socket = sockets::find_by(key);
  if (socket && socket->state == State::pending) {
    drop(key, *socket);
    set_low_water_mark(fd, static_cast<int>(socket->low_water_mark()));
    disconnect(fd);
    epoll::give_back(key);
  }
  sockets::forget(fd);
}

bool set_low_water_mark_later(int fd, int bytes) {
  const auto key = sockets::identity(fd);
  auto socket = sockets::find_by(key);
  if (!socket || socket->state != State::pending)
    return false;
  socket->low_water_mark() = static_cast<uint32_t>(std::max(bytes, 1));
  return sockets::replace(key, State::pending, *socket);
}

void expire() {
  static constinit std::atomic<int64_t> earliest{0};
  earliest = INT64_MAX;
  sockets::for_each_pending([](sockets::Identity key, const Socket& socket) {
    if (settle_by(key, socket).state == State::pending)
      earliest = std::min(earliest.load(), pending::at(socket.slot).deadline.when());
  });
  pending::set_next_deadline(Deadline::at(earliest));
}

void note_miss() {
  constexpr int patience = 64;
  static constinit std::atomic<int> misses{0};
  if (misses.fetch_add(1, std::memory_order_relaxed) < patience)
    return;
  misses.store(0, std::memory_order_relaxed);
  sockets::drop_closed(drop);
}

} // namespace socksify
