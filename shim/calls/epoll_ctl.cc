// SPDX-License-Identifier: MIT
#include "calls/epoll_ctl.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "kernel/call.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include "kernel/tcp.h"
#include "sockets/epoll/mask.h"
#include "sockets/epoll/set.h"
#include "sockets/readiness.h"
#include "sockets/unix_server.h"
#include <cerrno>
#include <netinet/tcp.h>

namespace socksify::epoll {
namespace {

// True if a new registration has to be remembered: a CONNECT or a BIND is in progress, or may still come.
bool needs_entry(int fd, int operation, const std::optional<Socket>& socket) {
  if (socket && (socket->is<Pending>() || socket->is<Failed>() || socket->is_bind()))
    return true;
  return !socket && operation == EPOLL_CTL_ADD && (tcp_state(fd) == TCP_CLOSE || (servers::any_unix() && is_unix(fd)));
}

// True if the kernel may reject these events, so that it has to see them.
bool may_be_rejected(uint32_t events) {
  constexpr uint32_t exclusive_with = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
  return (events & EPOLLEXCLUSIVE) && (events & ~exclusive_with);
}

// Another thread may have started, progressed or ended a CONNECT without seeing this registration, and may do so again
// while this adjusts its mask.
void catch_up(uint64_t key, const Registration& entered) {
  if (may_be_rejected(entered.events))
    return;
  for (short known = entered.handshake;;) {
    const short now = handshake_events(sockets::lookup(entered.socket));
    if (now == 0)
      return unmask_one(key, entered.fd);
    if (now == known)
      return;
    mask_one(key, now, entered.fd);
    known = now;
  }
}

// ADD and MOD: gives the kernel the program's events, or the handshake's during a CONNECT.
int enter(uint64_t key, Registration registration, const std::optional<Socket>& socket, int operation) {
  const MaskChange change;
  if (!may_be_rejected(registration.events))
    registration.handshake = handshake_events(socket);
  epoll_event given = event_of(key, registration);
  const int result = REAL(epoll_ctl)(registration.epfd, operation, registration.fd, &given);
  if (result != 0)
    return result;
  store(key, registration);
  catch_up(key, registration);
  return 0;
}

// The same for a registration that has no entry yet.
int enter_new(const Registration& registration, const std::optional<Socket>& socket, int operation) {
  const Uninterrupted whole;
  const uint64_t key = reserve(registration.socket, registration.fd);
  if (!key)
    return fail(ENOMEM); // without an entry, the end of the CONNECT would never show
  const int result = enter(key, registration, socket, operation);
  if (result != 0)
    forget(key);
  return result;
}

} // namespace

int control(Identity identity, int epfd, int operation, int fd, epoll_event* event) {
  const uint64_t key = key_for(identity, epfd, fd);
  if (operation == EPOLL_CTL_DEL)
    return remove(key, epfd, fd, event);
  if (!is_readable(event) || (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD))
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const auto socket = sockets::lookup(identity);
  const Registration registration{.epfd = epfd,
                                  .fd = fd,
                                  .data = event->data.u64,
                                  .events = event->events,
                                  .is_listener = readiness::is_listener(socket),
                                  .socket = identity};
  if (key)
    return enter(key, registration, socket, operation);
  if (needs_entry(fd, operation, socket))
    return enter_new(registration, socket, operation);
  return REAL(epoll_ctl)(epfd, operation, fd, event);
}

} // namespace socksify::epoll
