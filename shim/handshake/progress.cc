// SPDX-License-Identifier: MIT
#include "handshake/progress.h"
#include "base/fd.h"
#include "handshake/deferred_error.h"
#include "handshake/pending.h"
#include "handshake/server_choice.h"
#include "handshake/trace.h"
#include "kernel/deadline.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
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
  connect_nonblocking(fd, nowhere); // or the socket, if it blocks, would tell us and forget
}

// What has become of the socket now that its handshake is over.
Socket outcome(int fd, Socket socket, const PendingConnect& slot) {
  const Handshake& handshake = slot.handshake;
  socket.state = handshake.error() ? State::failed : State::connected;
  socket.error = static_cast<uint8_t>(handshake.error());
  socket.success_unreported = true;
  socket.fd = fd;
  socket.slot = -1;
  if (!handshake.error())
    socket.local = Exchange::reported_by(handshake, slot.attempt.ip);
  socket.server = slot.attempt.server;
  return socket;
}

// The one thread of this process that finds the socket still pending tells it to all. The slot is held.
Socket publish(Identity key, int fd, const Socket& before, PendingConnect& slot) {
  const Socket socket = outcome(fd, before, slot);
  if (!sockets::transition(key, State::pending, socket)) {
    slot.unlock();
    return socket;
  }
  deferred_error::record(socket);
  trace::connect_finished(slot.handshake, slot.attempt, slot.deadline, socket.error);
  const bool was_unix = config().servers[slot.attempt.server].is_unix;
  pending::end(before.slot);
  epoll::unmask(key, fd);
  if (const Identity now = was_unix ? sockets::identity(fd) : key; now != key && sockets::remember(now, socket))
    sockets::forget(key); // a fresh socket has taken its place
  return socket;
}

// The handshake has just ended, in whatever process: once for all of them.
void finish_handshake(int fd, const Socket& socket, PendingConnect& slot) {
  if (slot.handshake.error())
    show_failure(fd, socket.family);
  if (socket.low_water_mark() != 1)
    set_low_water_mark(fd, static_cast<int>(socket.low_water_mark()));
  slot.is_over = true;
}

// Another thread or process takes the step now, or has just ended it.
Socket locked_elsewhere(Identity key, const Socket& socket, const PendingConnect& slot) {
  const bool is_there = slot.identity.load(std::memory_order_acquire) == key;
  Socket now = sockets::find(key).value_or(socket);
  if (is_there || now.state != State::pending || now.slot != socket.slot)
    return now;
  // It was ended, and no one has told this process how.
  now.state = State::failed;
  now.error = ECONNABORTED;
  if (sockets::transition(key, State::pending, now))
    deferred_error::record(now);
  return now;
}

// As far as it goes without waiting; to the next server where one could not be reached.
void run_steps(int fd, const Socket& socket, PendingConnect& slot) {
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
Socket progress_pending(Identity key, int fd, const Socket& socket) {
  PendingConnect& slot = pending::at(socket.slot);
  if (!slot.try_lock(key))
    return locked_elsewhere(key, socket, slot);
  if (!slot.is_over)
    run_steps(fd, socket, slot);
  if (!slot.is_over && !slot.handshake.events())
    finish_handshake(fd, socket, slot);
  if (slot.is_over)
    return publish(key, fd, socket, slot);
  const short events = slot.handshake.events();
  if (slot.events.exchange(events) != events)
    epoll::mask(key, events, fd);
  slot.unlock();
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

// Nobody will ask for the result.
void drop_slot(Identity key, int slot) {
  if (pending::at(slot).try_lock(key))
    pending::end(slot);
}

// Others may take it further, and even end it, while its registrations are not withheld yet.
void mask_until_published(Identity key, const Socket& socket, short events) {
  while (events) {
    epoll::mask(key, events, socket.fd);
    const short now = is_pending(sockets::find(key)) ? pending::at(socket.slot).events.load() : short{0};
    if (now == events)
      return;
    events = now;
  }
  epoll::unmask(key, socket.fd);
}

} // namespace

int start_pending(Identity key, Socket socket, const Exchange& exchange) {
  sockets::when_pending_closed([](Identity closed, const Socket& pending) { drop_slot(closed, pending.slot); });
  note_miss();
  const short events = exchange.handshake.events();
  socket.state = State::pending;
  socket.slot = pending::begin(key, exchange);
  if (socket.slot < 0)
    return ENOBUFS;
  if (!sockets::remember(key, socket)) {
    drop_slot(key, socket.slot);
    return ENOBUFS;
  }
  if (!events) {
    progress_known(key, socket);
    return 0;
  }
  mask_until_published(key, socket, events);
  return 0;
}

std::optional<Socket> progress(int fd) {
  if (!pending::any())
    return sockets::find_fd(fd);
  KeepErrno keep;
  const Identity key = sockets::identity(fd);
  const auto socket = sockets::find(key);
  if (is_pending(socket))
    return progress_pending(key, fd, *socket);
  note_miss();
  return socket;
}

Socket progress_known(Identity key, const Socket& socket) {
  KeepErrno keep;
  const int fd = socket.state == State::pending ? sockets::find_open_fd(key, socket.fd) : -1;
  return fd >= 0 ? progress_pending(key, fd, socket) : socket;
}

void progress_all() {
  pending::forget_deadlines();
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    if (progress_known(key, socket).state == State::pending)
      pending::note_deadline(pending::at(socket.slot).next());
  });
}

void progress_ended() {
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    if (pending::at(socket.slot).is_over)
      progress_known(key, socket);
  });
}

int await_connection(int fd, bool may_block, Limit limit_of) {
  KeepErrno keep;
  const auto socket = progress(fd);
  if (!is_pending(socket))
    return 0;
  if (!may_block || is_nonblocking(fd))
    return EAGAIN;
  return await_end(sockets::identity(fd), fd, limit_of(fd));
}

int await_end(Identity key, int fd, Deadline limit) {
  KeepErrno keep;
  for (auto socket = sockets::find(key); is_pending(socket); socket = progress_pending(key, fd, *socket)) {
    const PendingConnect& slot = pending::at(socket->slot);
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
  drop_slot(key, socket->slot);
  epoll::unmask(key, fd);
}

bool set_low_water_mark_later(int fd, int bytes) {
  auto socket = progress(fd);
  if (is_pending(socket))
    socket->low_water_mark() = static_cast<uint32_t>(std::max(bytes, 1));
  else if (socket && socket->state == State::listening)
    socket->kept_low_water_mark() = std::max(bytes, 1);
  else
    return false;
  return sockets::transition(sockets::identity(fd), socket->state, *socket);
}

} // namespace socksify
