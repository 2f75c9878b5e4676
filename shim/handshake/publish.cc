// SPDX-License-Identifier: MIT
#include "handshake/publish.h"
#include "config/config.h"
#include "handshake/deferred_error.h"
#include "handshake/trace.h"
#include "kernel/tcp.h"
#include "sockets/epoll/mask.h"
#include <cerrno>

namespace socksify {
namespace {

using sockets::Identity;

// Gives the socket the state of a refused one, so that every way of waiting shows it like a failed direct connection:
// nothing can listen at port 0. If the errno is another one, deferred_error reports it. Without blocking, because
// connect() on a socket that blocks would return the error and clear it.
void show_failure(int fd, int family) {
  disconnect(fd, family);
  const SocketAddress nowhere{{INADDR_LOOPBACK, 0}, family};
  connect_nonblocking(fd, nowhere);
}

// The socket after the end of its handshake.
Socket result_of(int fd, Socket socket, const PendingConnect& slot) {
  socket.server = slot.attempt.server;
  if (const int error = slot.handshake.error())
    return transitions::refused(socket, fd, error);
  Endpoint local = Exchange::reported_by(slot.handshake, slot.attempt.ip);
  if (local.port == 0)
    local.port = slot.attempt.bound_port;
  socket = transitions::granted(socket, fd, local);
  socket.as<Connected>().has_guessed_ip = !Exchange::has_address(slot.handshake);
  return socket;
}

} // namespace

void finish_handshake(int fd, const Socket& socket, PendingConnect& slot) {
  if (slot.handshake.error())
    show_failure(fd, socket.family);
  if (const int program = socket.as<Pending>().low_water_mark; program != 1)
    set_low_water_mark(fd, program);
  slot.is_over = true;
}

Socket publish(Identity key, int fd, const Socket& before, PendingConnect& slot) {
  const Socket socket = result_of(fd, before, slot);
  if (!sockets::transition(key, State::pending, socket)) {
    slot.unlock();
    return socket;
  }
  deferred_error::record(socket);
  trace::connect_finished(slot.handshake, slot.attempt, slot.deadline, slot.handshake.error());
  const bool was_unix = config().servers[slot.attempt.server].is_unix;
  pending::end(before.as<Pending>().slot);
  epoll::unmask(key, fd);
  if (const Identity now = was_unix ? sockets::identity(fd) : key; now != key && sockets::remember(now, socket))
    sockets::forget(key); // a fresh socket has replaced it
  return socket;
}

Socket locked_elsewhere(Identity key, const Socket& socket, const PendingConnect& slot) {
  const bool is_there = slot.identity.load(std::memory_order_acquire) == key;
  const Socket now = sockets::lookup(key).value_or(socket);
  if (is_there || !now.is<Pending>() || now.as<Pending>().slot != socket.as<Pending>().slot)
    return now;
  // Another process ended it, and the slot was reused before this one could see how.
  const Socket lost = transitions::refused(now, now.fd, ECONNABORTED);
  if (sockets::transition(key, State::pending, lost))
    deferred_error::record(lost);
  return lost;
}

} // namespace socksify
