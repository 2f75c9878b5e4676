// SPDX-License-Identifier: MIT
#include "handshake/progress.h"
#include "base/fd.h"
#include "handshake/deferred_error.h"
#include "handshake/pending.h"
#include "handshake/trace.h"
#include "kernel/deadline.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "sockets/epoll_mask.h"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace socksify {
namespace {

using sockets::Identity;

bool is_nonblocking(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK; }

// Gives the socket the state of one whose connection was refused, so that every way of waiting shows it as it would
// show a direct one: no one can listen at port 0. The errno, where it is another, is ours to tell.
void show_failure(int fd, int family) {
  disconnect(fd, family);
  const SocketAddress nowhere{{INADDR_LOOPBACK, 0}, family};
  connect_at_once(fd, nowhere); // or the socket, if it blocks, would tell us and forget
}

// What has become of the socket now that its handshake is over.
Socket outcome(int fd, Socket socket, const Pending& slot) {
  const Handshake& handshake = slot.handshake;
  socket.state = handshake.error() ? State::failed : State::connected;
  socket.error = static_cast<uint8_t>(handshake.error());
  socket.is_news = true;
  socket.fd = fd;
  socket.slot = -1;
  if (!handshake.error())
    socket.local = Exchange::reported_by(handshake, slot.attempt.ip);
  socket.server = slot.attempt.server;
  return socket;
}

// The one thread of this process that finds the socket still pending tells it to all. The slot is held.
Socket conclude(Identity key, int fd, const Socket& before, Pending& slot) {
  const Socket socket = outcome(fd, before, slot);
  if (!sockets::replace(key, State::pending, socket)) {
    slot.release();
    return socket;
  }
  failure::note(socket);
  report::over(slot.handshake, slot.attempt, slot.deadline, socket.error);
  const bool was_unix = config().servers[slot.attempt.server].is_unix;
  pending::end(before.slot);
  epoll::give_back(key, fd);
  if (const Identity now = was_unix ? sockets::identity(fd) : key; now != key && sockets::remember(now, socket))
    sockets::forget(key); // a fresh socket has taken its place
  return socket;
}

// The handshake has just ended, in whatever process: once for all of them.
void finish(int fd, const Socket& socket, Pending& slot) {
  if (slot.handshake.error())
    show_failure(fd, socket.family);
  if (socket.low_water_mark() != 1)
    set_low_water_mark(fd, static_cast<int>(socket.low_water_mark()));
  slot.is_over = true;
}

// Another thread or process takes the step now, or has just ended it.
Socket held_by_another(Identity key, const Socket& socket, const Pending& slot) {
  const bool is_there = slot.identity.load(std::memory_order_acquire) == key;
  Socket now = sockets::find(key).value_or(socket);
  if (is_there || now.state != State::pending || now.slot != socket.slot)
    return now;
  // It was ended, and no one has told this process how.
  now.state = State::failed;
  now.error = ECONNABORTED;
  if (sockets::replace(key, State::pending, now))
    failure::note(now);
  return now;
}

// As far as it goes without waiting; to the next server where one could not be reached.
void step(int fd, const Socket& socket, Pending& slot) {
  Handshake& handshake = slot.handshake;
  while (handshake.step(fd) ? slot.next().left() == 0 : handshake.is_unsent()) {
    const int error = handshake.error() ? handshake.error() : ETIMEDOUT;
    const bool has_next = slot.deadline.left() != 0 && handshake.is_unsent() && servers::is_unreached(error);
    const int result = has_next ? try_next(fd, socket.family, slot.attempt, slot.deadline, error) : error;
    if (result && result != EINPROGRESS)
      return handshake.fail(result);
    handshake.restart();
    pending::note_deadline(slot.next());
  }
}

// One step, if no one else is at it.
Socket advance(Identity key, int fd, const Socket& socket) {
  Pending& slot = pending::at(socket.slot);
  if (!slot.hold(key))
    return held_by_another(key, socket, slot);
  if (!slot.is_over)
    step(fd, socket, slot);
  if (!slot.is_over && !slot.handshake.events())
    finish(fd, socket, slot);
  if (slot.is_over)
    return conclude(key, fd, socket, slot);
  const short events = slot.handshake.events();
  if (slot.events.exchange(events) != events)
    epoll::withhold(key, events, fd);
  slot.release();
  return socket;
}

// Now and then looks for those that the program has closed, when nobody else does: rarely enough to cost nothing.
void note_miss() {
  static constinit std::atomic<int> misses{0};
  if (misses.fetch_add(1, std::memory_order_relaxed) <
      std::max(64, 16 * pending::count.load(std::memory_order_relaxed)))
    return;
  misses.store(0, std::memory_order_relaxed);
  sockets::drop_closed();
}

// Others may take it further, and even end it, while its registrations are not withheld yet.
void withhold_from_now_on(Identity key, const Socket& socket, short events) {
  while (events) {
    epoll::withhold(key, events, socket.fd);
    const short now = is_pending(sockets::find(key)) ? pending::at(socket.slot).events.load() : short{0};
    if (now == events)
      return;
    events = now;
  }
  epoll::give_back(key, socket.fd);
}

} // namespace

int leave_pending(Identity key, Socket socket, const Exchange& exchange) {
  note_miss();
  const short events = exchange.handshake.events();
  socket.state = State::pending;
  socket.slot = pending::begin(key, exchange);
  if (socket.slot < 0)
    return ENOBUFS;
  if (!sockets::remember(key, socket)) {
    if (pending::at(socket.slot).hold(key))
      pending::end(socket.slot);
    return ENOBUFS;
  }
  if (!events) {
    settle(key, socket);
    return 0;
  }
  withhold_from_now_on(key, socket, events);
  return 0;
}

std::optional<Socket> settle_fd(int fd) {
  if (!pending::any())
    return sockets::find_fd(fd);
  KeepErrno keep;
  const Identity key = sockets::identity(fd);
  const auto socket = sockets::find(key);
  if (is_pending(socket))
    return advance(key, fd, *socket);
  note_miss();
  return socket;
}

Socket settle(Identity key, const Socket& socket) {
  KeepErrno keep;
  const int fd = socket.state == State::pending ? sockets::whereabouts(key, socket.fd) : -1;
  return fd >= 0 ? advance(key, fd, socket) : socket;
}

void settle_all() {
  pending::forget_deadlines();
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    if (settle(key, socket).state == State::pending)
      pending::note_deadline(pending::at(socket.slot).next());
  });
}

void settle_ended() {
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    if (pending::at(socket.slot).is_over)
      settle(key, socket);
  });
}

int await_connection(int fd, bool may_block, Limit limit_of) {
  KeepErrno keep;
  const auto socket = settle_fd(fd);
  if (!is_pending(socket))
    return 0;
  if (!may_block || is_nonblocking(fd))
    return EAGAIN;
  return await_end(sockets::identity(fd), fd, limit_of(fd));
}

int await_end(Identity key, int fd, Deadline limit) {
  KeepErrno keep;
  for (auto socket = sockets::find(key); is_pending(socket); socket = advance(key, fd, *socket)) {
    const Pending& slot = pending::at(socket->slot);
    const int error = wait_for(fd, slot.events, std::min({slot.next(), limit, pending::next_look()}));
    if (error == ETIMEDOUT && limit.left() == 0)
      return EAGAIN;
    if (error && error != ETIMEDOUT)
      return error;
  }
  return 0;
}

void abandon(int fd) {
  const Identity key = sockets::identity(fd);
  const auto socket = sockets::find(key);
  sockets::forget(key);
  if (!is_pending(socket))
    return;
  set_low_water_mark(fd, static_cast<int>(socket->low_water_mark()));
  if (pending::at(socket->slot).hold(key))
    pending::end(socket->slot);
  epoll::give_back(key, fd);
}

bool set_low_water_mark_later(int fd, int bytes) {
  auto socket = settle_fd(fd);
  if (is_pending(socket))
    socket->low_water_mark() = static_cast<uint32_t>(std::max(bytes, 1));
  else if (socket && socket->state == State::listening)
    socket->kept_low_water_mark() = std::max(bytes, 1);
  else
    return false;
  return sockets::replace(sockets::identity(fd), socket->state, *socket);
}

} // namespace socksify
