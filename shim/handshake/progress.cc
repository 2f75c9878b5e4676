// SPDX-License-Identifier: MIT
#include "handshake/progress.h"
#include "base/fd.h"
#include "config/config.h"
#include "handshake/pending.h"
#include "handshake/publish.h"
#include "handshake/server_choice.h"
#include "kernel/deadline.h"
#include "kernel/fork.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "sockets/epoll/mask.h"
#include "sockets/miss_counter.h"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace socksify {
namespace {

using sockets::Identity;

bool is_nonblocking(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK; }

// Steps until the handshake waits or ends; goes to the next server if one cannot be reached.
void run_steps(int fd, const Socket& socket, PendingConnect& slot) {
  Handshake& handshake = slot.handshake;
  while (handshake.step(fd) ? slot.limit().left() == 0 : handshake.is_unsent()) {
    const int error = handshake.error() ? handshake.error() : ETIMEDOUT;
    const bool has_next = slot.deadline.left() != 0 && handshake.is_unsent() && servers::is_unreached(error);
    const int result = has_next ? try_next(fd, socket.family, slot.attempt, slot.deadline, error) : error;
    if (result && result != EINPROGRESS)
      return handshake.end_with(result);
    handshake.restart();
    pending::add_deadline(slot.limit());
  }
  slot.publish_limit();
}

// Takes a step, unless another thread or process is at it. Only a look-up of the next server's name can be left.
Socket progress_pending(Identity key, int fd, const Socket& socket) {
  const Uninterrupted whole;
  PendingConnect& slot = pending::at(socket.as<Pending>().slot);
  if (!slot.try_lock(key))
    return locked_elsewhere(key, socket, slot);
  const OnLeaving leaving{[](void* left) { static_cast<PendingConnect*>(left)->unlock(); }, &slot};
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

// Now and then forgets the sockets that the program closed during their CONNECT.
void count_miss() {
  static constinit MissCounter misses;
  const int connects = unfinished.connects.load(std::memory_order_relaxed);
  if (misses.reaches(static_cast<unsigned>(std::max(64, 16 * connects))))
    sockets::forget_closed_pending();
}

// When to take the next step. If the time is over, somebody else takes one, or the program has closed the socket: that
// is looked at again a little later.
Deadline next_try(const PendingConnect& slot) {
  constexpr int nap = 50; // milliseconds
  if (slot.next().left() != 0)
    return slot.next();
  count_miss();
  return Deadline::after(nap);
}

// Frees a slot whose result nobody will ask for.
void drop_slot(Identity key, int slot) {
  const Uninterrupted whole;
  if (pending::at(slot).try_lock(key))
    pending::end(slot);
}

// Masks the registrations of a CONNECT that was just published. Other threads may progress it meanwhile, and even end
// it before its registrations are masked.
void mask_published(Identity key, const Socket& socket, short events) {
  while (events) {
    epoll::mask(key, events, socket.fd);
    const short now = handshake_events(sockets::lookup(key));
    if (now == events)
      return;
    events = now;
  }
  epoll::unmask(key, socket.fd);
}

} // namespace

int start_pending(Identity key, Socket socket, const Exchange& exchange) {
  const Uninterrupted whole;
  sockets::when_pending_closed(
      [](Identity closed, const Socket& pending) { drop_slot(closed, pending.as<Pending>().slot); });
  count_miss();
  int& slot = socket.as<Pending>().slot;
  slot = pending::begin(key, exchange);
  if (slot < 0)
    return ENOBUFS;
  if (!sockets::remember(key, socket)) {
    drop_slot(key, slot);
    return ENOBUFS;
  }
  // The request goes when the socket is registered, and not before: another thread might read the reply. On a fast
  // network the server is connected, and the request can go now.
  const Socket now = progress_pending(key, socket.fd, socket);
  if (now.is<Pending>())
    mask_published(key, now, handshake_events(now));
  return 0;
}

std::optional<Socket> progress(int fd) {
  if (!any_connecting())
    return sockets::lookup_fd(fd);
  KeepErrno keep;
  const Identity key = sockets::identity(fd);
  const auto socket = sockets::lookup(key);
  if (is_pending(socket))
    return progress_pending(key, fd, *socket);
  count_miss();
  return socket;
}

Socket progress_known(Identity key, const Socket& socket) {
  KeepErrno keep;
  const int fd = socket.is<Pending>() ? sockets::find_open_fd(key, socket.fd) : -1;
  return fd >= 0 ? progress_pending(key, fd, socket) : socket;
}

void progress_all() {
  pending::clear_deadlines();
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    const Socket now = progress_known(key, socket);
    if (now.is<Pending>())
      pending::add_deadline(next_try(pending::at(socket.as<Pending>().slot)));
  });
}

bool progress_overdue() {
  if (pending::next_deadline().left() != 0)
    return false;
  progress_all();
  return true;
}

void progress_ended() {
  if (!any_connecting() || !forks::may_share())
    return;
  sockets::for_each_pending([](Identity key, const Socket& socket) {
    if (pending::at(socket.as<Pending>().slot).is_over)
      progress_known(key, socket);
  });
}

std::optional<Socket> current(int fd) {
  const auto socket = sockets::lookup_fd(fd);
  const bool has_ended = is_pending(socket) && pending::at(socket->as<Pending>().slot).is_over;
  return has_ended ? progress(fd) : socket;
}

short handshake_events(const std::optional<Socket>& socket) {
  return is_pending(socket) ? pending::at(socket->as<Pending>().slot).events.load() : short{0};
}

Deadline next_progress() { return std::min(pending::next_deadline(), pending::next_look()); }

Deadline next_progress_by_epoll() { return forks::may_share() ? next_progress() : pending::next_deadline(); }

Deadline longest_sleep() { return Deadline::after(int64_t{config().timeout} * 1000); }

int await_connection(int fd, Mode mode, Limit limit_of) {
  KeepErrno keep;
  if (!is_pending(progress(fd)))
    return 0;
  if (mode == Mode::nonblocking || is_nonblocking(fd))
    return EAGAIN;
  return await_end(sockets::identity(fd), fd, limit_of(fd));
}

int await_end(Identity key, int fd, Deadline limit) {
  KeepErrno keep;
  for (auto socket = sockets::lookup(key); is_pending(socket); socket = progress_pending(key, fd, *socket)) {
    const PendingConnect& slot = pending::at(socket->as<Pending>().slot);
    const int error = wait_for(fd, slot.events, std::min({slot.next(), limit, pending::next_look()}));
    if (error == ETIMEDOUT && limit.left() == 0)
      return EAGAIN;
    if (error && error != ETIMEDOUT)
      return error;
  }
  return 0;
}

void abandon(int fd) {
  const Uninterrupted whole;
  const Identity key = sockets::identity(fd);
  const auto socket = sockets::lookup(key);
  sockets::forget(key);
  if (!is_pending(socket))
    return;
  set_low_water_mark(fd, socket->as<Pending>().low_water_mark);
  drop_slot(key, socket->as<Pending>().slot);
  epoll::unmask(key, fd);
}

bool defer_low_water_mark(int fd, int bytes) {
  auto socket = progress(fd);
  if (!socket)
    return false;
  if (socket->is<Pending>())
    socket->as<Pending>().low_water_mark = std::max(bytes, 1);
  else if (socket->state() == State::listening)
    socket->as<AwaitingCall>().low_water_mark = std::max(bytes, 1);
  else
    return false;
  return sockets::transition(sockets::identity(fd), socket->state(), *socket);
}

} // namespace socksify
