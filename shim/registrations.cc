// SPDX-License-Identifier: MIT
#include "registrations.h"
#include "config.h"
#include "exchange.h"
#include "fd.h"
#include "listener.h"
#include "old_number.h"
#include "oneshot.h"
#include "open_fds.h"
#include "pending.h"
#include "place.h"
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
// In place of the set's number: the place is free, or taken by a registration that the kernel has yet to agree to.
constexpr int no_set = -1, undecided = -2;

uint64_t key_of(Identity socket, int number) { return socket * most_sets + static_cast<uint64_t>(number); }

std::optional<Registration> find(uint64_t key) {
  Table::Value value;
  if (!table.find(key, value))
    return std::nullopt;
  return unpack<Registration>(value);
}

// A data word that no program has by chance, which means: the registration with this key. Its own inverse.
uint64_t token(uint64_t key) {
  static constinit std::atomic<uint64_t> known{0};
  uint64_t secret = known.load(std::memory_order_relaxed);
  if (secret == 0) {
    std::memcpy(&secret, reinterpret_cast<const void*>(getauxval(AT_RANDOM)), sizeof secret);
    known.store(secret, std::memory_order_relaxed);
  }
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

void count(bool was_withheld, bool is_withheld) {
  if (was_withheld && !is_withheld)
    given_back.fetch_add(1, std::memory_order_release);
  withheld.fetch_add(int{is_withheld} - int{was_withheld}, std::memory_order_release);
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
  table.end_sweep(seen,
                  [](uint64_t, const Table::Value& value) { count(unpack<Registration>(value).is_withheld(), false); });
}

// Takes a place that is there. False if it is not free.
bool take(uint64_t key, const Registration& registration) {
  return table.update(key, [&](Table::Value& value) {
    const bool is_free = unpack<Registration>(value).epfd == no_set;
    if (is_free)
      value = pack(registration);
    return is_free;
  });
}

// A place for a new registration of the socket: its key, or 0 if there is none.
uint64_t reserve(Identity socket, int fd) {
  const Registration reserved{.epfd = undecided};
  for (int number = 0; number < most_sets; ++number) {
    const uint64_t key = key_of(socket, number);
    if (find(key)) {
      if (take(key, reserved))
        return key;
      continue;
    }
    if (table.needs_sweep(key, static_cast<size_t>(fd)))
      sweep();
    if (table.insert(key, pack(reserved)))
      return key;
    if (!find(key))
      return 0; // no memory; another number would not be found by for_each_of()
  }
  return 0;
}

void store(uint64_t key, const Registration& registration) {
  bool was_withheld = false;
  table.update(key, [&](Table::Value& value) {
    was_withheld = unpack<Registration>(value).is_withheld();
    value = pack(registration);
    return true;
  });
  count(was_withheld, registration.is_withheld());
}

// True unless another thread has changed it meanwhile.
bool replace(uint64_t key, const Registration& before, const Registration& registration) {
  const bool done = table.update(key, [&](Table::Value& value) {
    const bool is_same = unpack<Registration>(value) == before;
    if (is_same)
      value = pack(registration);
    return is_same;
  });
  if (done)
    count(before.is_withheld(), registration.is_withheld());
  return done;
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
  event.events = registration.is_listener ? listener::possible(registration.events) : registration.events;
  event.data.u64 = registration.data;
  return event;
}

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

// What the kernel is to hold.
epoll_event event_of(uint64_t key, const Registration& registration) {
  if (!registration.is_withheld())
    return own_event(registration);
  epoll_event event = event_of_handshake(key, registration.handshake);
  event.events |= registration.events & EPOLLEXCLUSIVE;
  return event;
}

// Whatever the order in which threads change what is remembered and tell the kernel so, what is remembered in the end
// is what the kernel was told last. 0 or an errno.
int tell_kernel(uint64_t key) {
  for (;;) {
    const auto registration = find(key);
    if (!registration || registration->epfd < 0)
      return 0;
    const int error = modify(*registration, event_of(key, *registration)) == 0 ? 0 : errno;
    if (find(key) == registration)
      return error;
  }
}

short handshake_of(const std::optional<Socket>& socket) {
  return is_pending(socket) ? pending::at(socket->slot).events.load() : short{0};
}

// One registration, which is the program's own again.
void give_back_one(uint64_t key, int known_fd) {
  for (;;) {
    const auto before = find(key);
    if (!before || before->epfd < 0 || !before->is_withheld())
      return;
    const OldNumber number{before->socket, before->fd, known_fd};
    if (!number.is_there())
      return;
    Registration own = *before;
    own.handshake = 0;
    if (!replace(key, *before, own))
      continue;
    const int error = tell_kernel(key);
    if (error == ENOENT)
      replace(key, own, Registration{});
    else if (error)
      replace(key, own, *before); // the set has another number now: see named_by()
    return;
  }
}

void withhold_one(uint64_t key, short events, int known_fd) {
  for (;;) {
    const auto before = find(key);
    if (!before || before->epfd < 0)
      return;
    const OldNumber number{before->socket, before->fd, known_fd};
    if (!number.is_there())
      return;
    // Whose one shot has been fired says nothing any more until the program arms it anew. There is no way to leave it
    // like that other than not to touch it: EPOLL_CTL_MOD adds EPOLLERR and EPOLLHUP to all that it is given.
    if (!before->is_withheld() && is_spent(before->epfd, before->fd, before->events))
      return;
    Registration ours = *before;
    ours.handshake = events;
    if (!replace(key, *before, ours))
      continue;
    if (tell_kernel(key) != 0)
      replace(key, ours, Registration{}); // the set is closed, or the socket is no longer in it
    return;
  }
}

// While it lives, the kernel may hold a token that is not remembered yet, or not any more.
class Changing {
public:
  Changing() { withheld.fetch_add(1, std::memory_order_acq_rel); }
  ~Changing() { count(true, false); }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;
};

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
      give_back_one(key, entered.fd);
      return;
    }
    withhold_one(key, now, entered.fd);
    known = now;
  }
}

// ADD and MOD: the kernel is given the program's events, or the handshake's while a CONNECT is on its way.
int enter(uint64_t key, Registration registration, const std::optional<Socket>& socket, int operation) {
  const Changing changing;
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
  const Registration registration{.epfd = epfd,
                                  .fd = fd,
                                  .data = event->data.u64,
                                  .events = event->events,
                                  .is_listener = listener::is_listener(socket),
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

bool no_registrations() { return table.empty(); }

void withhold(Identity socket, short events, int known_fd) {
  KeepErrno keep;
  const Changing changing;
  for_each_of(socket, [&](uint64_t key, const Registration&) { withhold_one(key, events, known_fd); });
}

void give_back(Identity socket, int known_fd) {
  KeepErrno keep;
  if (!any_withheld())
    return;
  const Changing changing;
  for_each_of(socket, [&](uint64_t key, const Registration&) { give_back_one(key, known_fd); });
}

void listens(Identity socket) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    Registration now = registration;
    now.is_listener = true;
    if (replace(key, registration, now))
      tell_kernel(key);
  });
}

bool holds_withheld(int epfd) {
  bool found = false;
  table.for_each([&](uint64_t, const Table::Value& value, uint64_t) {
    const Registration registration = unpack<Registration>(value);
    found = found || (registration.is_withheld() && registration.epfd == epfd);
  });
  return found;
}

std::optional<Registration> named_by(int epfd, const epoll_event& event) {
  const uint64_t key = token(event.data.u64);
  const auto registration = find(key);
  // The set has been reached by another number of its own: by this one it is open for sure.
  if (registration && registration->is_withheld() && registration->epfd != epfd) {
    Registration found = *registration;
    found.epfd = epfd;
    replace(key, *registration, found);
  }
  return registration;
}

void mend_registrations_after_fork() { table.mend_after_fork(); }

Move::Move(int fd) {
  for_each_of(sockets::identity(fd), [&](uint64_t key, const Registration& registration) {
    if (registration.fd != fd || m_count == most_sets)
      return;
    epoll_event event = own_event(registration);
    if (is_spent(registration.epfd, fd, registration.events))
      event.events = EPOLLONESHOT;
    m_registrations[m_count++] = {registration.epfd, event};
    leave(key, registration.epfd, fd, nullptr);
  });
}

void Move::finish(int fd) {
  for (int i = 0; i < m_count; ++i)
    control(sockets::identity(fd), m_registrations[i].epfd, EPOLL_CTL_ADD, fd, &m_registrations[i].event);
}

} // namespace socksify::epoll
