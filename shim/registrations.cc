// SPDX-License-Identifier: MIT
#include "registrations.h"
#include "exchange.h"
#include "fd.h"
#include "old_number.h"
#include "oneshot.h"
#include "open_fds.h"
#include "pending.h"
#include "real.h"
#include "settle.h"
#include "table.h"
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/auxv.h>

namespace socksify::epoll {
namespace {

// Key: the socket's identity and a number below most_sets.
constinit Table table;
// How many registrations hold a token now.
constinit std::atomic<int> withheld{0};

uint64_t key_of(Identity socket, int number) { return socket * most_sets + static_cast<uint64_t>(number); }

std::optional<Registration> find(uint64_t key) {
  Table::Value value;
  if (!table.find(key, value))
    return std::nullopt;
  return unpack<Registration>(value);
}

// A data word that no program has by chance, which means: the registration with this key. Its own inverse.
uint64_t token(uint64_t key) {
  uint64_t secret;
  std::memcpy(&secret, reinterpret_cast<const void*>(getauxval(AT_RANDOM)), sizeof secret);
  return key ^ secret;
}

// Calls visit(key, registration) for those of the socket.
template <typename Visit> void for_each_of(Identity socket, Visit visit) {
  if (!socket || table.empty())
    return;
  for (int number = 0; number < most_sets; ++number) {
    const auto registration = find(key_of(socket, number));
    if (!registration)
      return; // numbers are dense: see forget()
    if (registration->epfd >= 0)
      visit(key_of(socket, number), *registration);
  }
}

// The key of this registration; 0 if there is none.
uint64_t locate(Identity socket, int epfd, int fd) {
  uint64_t found = 0;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    if (registration.epfd == epfd && registration.fd == fd)
      found = key;
  });
  return found;
}

uint64_t free_key(Identity socket) {
  for (int number = 0; number < most_sets; ++number) {
    const auto registration = find(key_of(socket, number));
    if (!registration || registration->epfd < 0)
      return key_of(socket, number);
  }
  return 0;
}

void count_forgotten(const Registration& registration) {
  if (registration.is_withheld)
    withheld.fetch_sub(1, std::memory_order_relaxed);
}

// Forgets the registrations of sockets that are closed.
void sweep() {
  KeepErrno keep;
  if (!table.begin_sweep())
    return;
  size_t seen = 0;
  for_each_open_fd([&](int fd) {
    ++seen;
    if (const Identity socket = sockets::identity(fd))
      for (int number = 0; number < most_sets; ++number)
        table.keep(key_of(socket, number));
  });
  table.end_sweep(seen, [](uint64_t, const Table::Value& value) { count_forgotten(unpack<Registration>(value)); });
}

void store(uint64_t key, const Registration& registration) {
  const bool was_withheld = find(key).value_or(Registration{}).is_withheld;
  withheld.fetch_add(int{registration.is_withheld} - int{was_withheld}, std::memory_order_relaxed);
  if (table.is_crowded(key))
    sweep();
  table.store(key, pack(registration));
}

// Its place stays, for the next registration of the same socket.
void forget(uint64_t key) { store(key, Registration{}); }

// An exclusive registration cannot be modified, only made anew.
int modify(const Registration& registration, epoll_event event) {
  if (!(registration.events & EPOLLEXCLUSIVE))
    return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_MOD, registration.fd, &event);
  event.events |= EPOLLEXCLUSIVE;
  REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_DEL, registration.fd, nullptr);
  return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_ADD, registration.fd, &event);
}

epoll_event event_of_handshake(uint64_t key, short events) {
  epoll_event event{};
  event.events = events & POLLOUT ? EPOLLOUT : EPOLLIN;
  event.data.u64 = token(key);
  return event;
}

epoll_event own_event(const Registration& registration) {
  epoll_event event{};
  event.events = registration.is_spent ? uint32_t{EPOLLONESHOT} : registration.events;
  event.data.u64 = registration.data;
  return event;
}

// True if a registration that we have not heard of has to be known: a CONNECT or a BIND is on its way, or may still
// come.
bool matters(int fd, int operation, const std::optional<Socket>& socket) {
  if (socket && (socket->state == State::pending || socket->is_waiting()))
    return true;
  return !socket && operation == EPOLL_CTL_ADD && tcp_state(fd) == TCP_CLOSE;
}

// The kernel has to be asked with the program's own words whether it takes them.
bool is_doubtful(uint32_t events) {
  constexpr uint32_t exclusive_with = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
  return (events & EPOLLEXCLUSIVE) && (events & ~exclusive_with);
}

// ADD and MOD: the kernel is given the program's events, or the handshake's while a CONNECT is on its way.
int enter(uint64_t key, Registration registration, const std::optional<Socket>& socket, int operation) {
  epoll_event given = own_event(registration);
  registration.is_withheld = is_pending(socket) && !is_doubtful(registration.events);
  if (registration.is_withheld) {
    given = event_of_handshake(key, pending::at(socket->slot).events);
    given.events |= registration.events & EPOLLEXCLUSIVE;
  }
  const int result = REAL(epoll_ctl)(registration.epfd, operation, registration.fd, &given);
  if (result != 0)
    return result;
  store(key, registration);
  // Another thread may have ended it in the meantime, and not have found this registration.
  if (registration.is_withheld && !is_pending(sockets::find(registration.socket)))
    give_back(registration.socket);
  return 0;
}

int leave(uint64_t key, int epfd, int fd, epoll_event* event) {
  const int result = REAL(epoll_ctl)(epfd, EPOLL_CTL_DEL, fd, event);
  if (result == 0 && key)
    forget(key);
  return result;
}

} // namespace

int control(Identity identity, int epfd, int operation, int fd, epoll_event* event) {
  uint64_t key = locate(identity, epfd, fd);
  if (operation == EPOLL_CTL_DEL)
    return leave(key, epfd, fd, event);
  if (!event || (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD))
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const auto socket = sockets::find(identity);
  if (!key && matters(fd, operation, socket))
    key = free_key(identity);
  if (!key)
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const Registration registration{
      .epfd = epfd, .fd = fd, .data = event->data.u64, .events = event->events, .socket = identity};
  return enter(key, registration, socket, operation);
}

bool no_registrations() { return table.empty(); }

void withhold(Identity socket, short events) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, Registration registration) {
    const OldNumber number{registration.socket, registration.fd};
    if (!number.is_there())
      return;
    if (!registration.is_withheld)
      registration.is_spent = is_spent(registration.epfd, registration.fd, registration.events);
    registration.is_withheld = true;
    store(key, registration);
    if (modify(registration, event_of_handshake(key, events)) != 0)
      forget(key); // the set is closed, or the socket is no longer in it
  });
}

void give_back(Identity socket) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, Registration registration) {
    if (!registration.is_withheld)
      return;
    const OldNumber number{registration.socket, registration.fd};
    if (!number.is_there())
      return;
    const int result = modify(registration, own_event(registration));
    registration.is_withheld = false;
    if (result == 0)
      store(key, registration);
    else if (errno == ENOENT)
      forget(key);
  });
}

bool any_withheld() { return withheld.load(std::memory_order_relaxed) > 0; }

bool holds_withheld(int epfd) {
  bool found = false;
  table.for_each([&](uint64_t, const Table::Value& value, uint64_t) {
    const Registration registration = unpack<Registration>(value);
    found = found || (registration.is_withheld && registration.epfd == epfd);
  });
  return found;
}

std::optional<Registration> withheld_by(int epfd, const epoll_event& event) {
  const uint64_t key = token(event.data.u64);
  auto registration = find(key);
  if (!registration || !registration->is_withheld)
    return std::nullopt;
  // The set has been reached by another number of its own: by this one it is open for sure.
  if (registration->epfd != epfd) {
    registration->epfd = epfd;
    store(key, *registration);
  }
  return registration;
}

Move::Move(int fd) {
  for_each_of(sockets::identity(fd), [&](uint64_t key, const Registration& registration) {
    if (registration.fd != fd || m_count == most_sets)
      return;
    m_registrations[m_count++] = {registration.epfd, own_event(registration)};
    leave(key, registration.epfd, fd, nullptr);
  });
}

void Move::finish(int fd) {
  for (int i = 0; i < m_count; ++i)
    control(sockets::identity(fd), m_registrations[i].epfd, EPOLL_CTL_ADD, fd, &m_registrations[i].event);
}

} // namespace socksify::epoll
