// SPDX-License-Identifier: MIT
#include "calls/epoll_ctl.h"
#include "handshake/exchange.h"
#include "handshake/pending.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "kernel/real.h"
#include "kernel/tcp.h"
#include "sockets/epoll_mask.h"
#include "sockets/epoll_oneshot.h"
#include "sockets/readiness.h"
#include "sockets/unix_server.h"
#include <cerrno>
#include <netinet/tcp.h>

namespace socksify::epoll {
namespace {

// True if a registration that we have not heard of has to be known: a CONNECT or a BIND is on its way, or may still
// come.
bool matters(int fd, int operation, const std::optional<Socket>& socket) {
  if (socket && (socket->state == State::pending || socket->is_waiting()))
    return true;
  return !socket && operation == EPOLL_CTL_ADD && (tcp_state(fd) == TCP_CLOSE || (servers::any_unix() && is_unix(fd)));
}

// The kernel has to be asked with the program's own words whether it takes them.
bool is_doubtful(uint32_t events) {
  constexpr uint32_t exclusive_with = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
  return (events & EPOLLEXCLUSIVE) && (events & ~exclusive_with);
}

short handshake_of(const std::optional<Socket>& socket) {
  return is_pending(socket) ? pending::at(socket->slot).events.load() : short{0};
}

// Another thread may have begun or ended a CONNECT, or taken its next step, without having found this registration; and
// may do so while we see to that.
void catch_up(uint64_t key, const Registration& entered) {
  if (is_doubtful(entered.events))
    return;
  short known = entered.handshake;
  for (;;) {
    const short now = handshake_of(sockets::find(entered.socket));
    if (now == known && now != 0)
      return;
    if (now == 0) {
      unmask_one(key, entered.fd);
      return;
    }
    mask_one(key, now, entered.fd);
    known = now;
  }
}

// ADD and MOD: the kernel is given the program's events, or the handshake's while a CONNECT is on its way.
int enter(uint64_t key, Registration registration, const std::optional<Socket>& socket, int operation) {
  const MaskChange change;
  if (!is_doubtful(registration.events))
    registration.handshake = handshake_of(socket);
  epoll_event given = event_of(key, registration);
  const int result = REAL(epoll_ctl)(registration.epfd, operation, registration.fd, &given);
  if (result != 0)
    return result;
  store(key, registration);
  catch_up(key, registration);
  return 0;
}

} // namespace

int control(Identity identity, int epfd, int operation, int fd, epoll_event* event) {
  uint64_t key = locate(identity, epfd, fd);
  if (operation == EPOLL_CTL_DEL)
    return remove(key, epfd, fd, event);
  if (!event || (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD))
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const auto socket = sockets::find(identity);
  const Registration registration{.epfd = epfd,
                                  .fd = fd,
                                  .data = event->data.u64,
                                  .events = event->events,
                                  .is_listener = readiness::is_listener(socket),
                                  .socket = identity};
  const bool is_new = !key && matters(fd, operation, socket);
  if (is_new && !(key = reserve(identity, fd))) {
    errno = ENOMEM; // entered all the same, it would never show how the CONNECT ends
    return -1;
  }
  if (!key)
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const int result = enter(key, registration, socket, operation);
  if (result != 0 && is_new)
    forget(key);
  return result;
}

} // namespace socksify::epoll
