// SPDX-License-Identifier: MIT
#include "epoll.h"
#include "exchange.h"
#include "fd.h"
#include "open_fds.h"
#include "pending.h"
#include "real.h"
#include "settle.h"
#include "table.h"
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/auxv.h>

namespace socksify::epoll {
namespace {

constexpr int most_sets = 16; // that one socket can be in

struct Registration {
  int epfd = -1;
  int fd = -1; // the number it was registered by
  uint64_t data = 0;
  uint32_t events = 0;
  bool is_withheld = false;
};

static_assert(sizeof(Registration) <= sizeof(Table::Value));

// Key: the socket's identity and a number below most_sets.
constinit Table table;
// Sets that are members of other sets. Key: both numbers; value: the data word.
constinit Table nested;
// How many registrations hold a token now.
constinit std::atomic<int> withheld{0};

uint64_t key_of(Identity socket, int number) { return socket * most_sets + static_cast<uint64_t>(number); }

Table::Value pack(const Registration& registration) {
  Table::Value value{};
  std::memcpy(value.data(), &registration, sizeof registration);
  return value;
}

Registration unpack(const Table::Value& value) {
  Registration registration;
  std::memcpy(static_cast<void*>(&registration), value.data(), sizeof registration);
  return registration;
}

std::optional<Registration> find(uint64_t key) {
  Table::Value value;
  if (!table.find(key, value))
    return std::nullopt;
  return unpack(value);
}

// A data word that no program has by chance, which means: the registration with this key.
uint64_t secret() {
  uint64_t random;
  std::memcpy(&random, reinterpret_cast<const void*>(getauxval(AT_RANDOM)), sizeof random);
  return random;
}
uint64_t token(uint64_t key) { return key ^ secret(); }

// Calls visit(key, registration) for those of the socket.
template <typename Visit> void for_each_of(Identity socket, Visit visit) {
  if (!socket || table.empty())
    return;
  for (int number = 0; number < most_sets; ++number)
    if (const auto registration = find(key_of(socket, number)))
      visit(key_of(socket, number), *registration);
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
  for (int number = 0; number < most_sets; ++number)
    if (!find(key_of(socket, number)))
      return key_of(socket, number);
  return 0;
}

void count_forgotten(const Registration& registration) {
  if (registration.is_withheld)
    withheld.fetch_sub(1, std::memory_order_relaxed);
}

// Forgets the registrations of sockets that are closed.
void sweep() {
  KeepErrno keep;
  table.begin_sweep();
  size_t seen = 0;
  for_each_open_fd([&](int fd) {
    seen += most_sets;
    if (const Identity socket = sockets::identity(fd))
      for (int number = 0; number < most_sets; ++number)
        table.keep(key_of(socket, number));
  });
  table.end_sweep(seen / most_sets, [](uint64_t, const Table::Value& value) { count_forgotten(unpack(value)); });
}

void set_withheld(uint64_t key, Registration registration, bool is_withheld) {
  withheld.fetch_add(int{is_withheld} - int{registration.is_withheld}, std::memory_order_relaxed);
  registration.is_withheld = is_withheld;
  if (table.is_crowded(key))
    sweep();
  table.store(key, pack(registration));
}

void forget(uint64_t key, const Registration& registration) {
  if (table.erase(key))
    count_forgotten(registration);
}

// An exclusive registration cannot be modified, only made anew.
int modify(const Registration& registration, epoll_event event) {
  if (!(registration.events & EPOLLEXCLUSIVE))
    return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_MOD, registration.fd, &event);
  event.events |= EPOLLEXCLUSIVE;
  REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_DEL, registration.fd, nullptr);
  return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_ADD, registration.fd, &event);
}

epoll_event events_for_handshake(uint64_t key, short events) {
  epoll_event event{};
  event.events = events & POLLOUT ? EPOLLOUT : EPOLLIN;
  event.data.u64 = token(key);
  return event;
}

epoll_event own_event(const Registration& registration) {
  epoll_event event{};
  event.events = registration.events;
  event.data.u64 = registration.data;
  return event;
}

// True if a registration that we have not heard of has to be known: a CONNECT or a BIND is on its way, or may
// still come.
bool matters(int fd, int operation, const std::optional<Socket>& socket) {
  if (socket)
    return operation != EPOLL_CTL_DEL && (socket->state == State::pending || socket->is_waiting());
  return operation == EPOLL_CTL_ADD && tcp_state(fd) == TCP_CLOSE;
}

// ADD and MOD: the kernel is given the program's events, or the handshake's while a CONNECT is on its way.
int enter(uint64_t key, Registration registration, const std::optional<Socket>& socket, int operation) {
  epoll_event given = own_event(registration);
  const bool is_pending = socket && socket->state == State::pending;
  if (is_pending) {
    given = events_for_handshake(key, pending::at(socket->slot).events);
    given.events |= registration.events & EPOLLEXCLUSIVE;
  }
  const int result = REAL(epoll_ctl)(registration.epfd, operation, registration.fd, &given);
  if (result != 0)
    return result;
  registration.is_withheld = find(key).value_or(Registration{}).is_withheld;
  set_withheld(key, registration, is_pending);
  // Another thread may have ended it in the meantime, and not have found this registration.
  if (const auto now = settle_fd(registration.fd); is_pending && (!now || now->state != State::pending))
    give_back(key / most_sets);
  return 0;
}

int leave(uint64_t key, int epfd, int fd, epoll_event* event) {
  const int result = REAL(epoll_ctl)(epfd, EPOLL_CTL_DEL, fd, event);
  if (result == 0)
    if (const auto registration = find(key))
      forget(key, *registration);
  return result;
}

uint64_t nested_key(int outer, int inner) { return (uint64_t(outer) << 32 | uint32_t(inner)) + 1; }

// What epoll_ctl() answers to the removal of what is not a member tells whether a descriptor is a set.
bool is_set(int fd, int other) {
  KeepErrno keep;
  return REAL(epoll_ctl)(fd, EPOLL_CTL_DEL, other, nullptr) != 0 && errno == ENOENT;
}

int control_nested(int outer, int operation, int inner, epoll_event* event) {
  const bool is_member = operation == EPOLL_CTL_ADD && event && is_set(inner, outer);
  const int result = REAL(epoll_ctl)(outer, operation, inner, event);
  const uint64_t key = nested_key(outer, inner);
  Table::Value value{};
  if (result != 0 || (!is_member && !nested.find(key, value)))
    return result;
  if (operation == EPOLL_CTL_DEL)
    nested.erase(key);
  else if (event)
    nested.store(key, {uint64_t(outer), uint64_t(inner), event->data.u64});
  return result;
}

// False if the event says that a set in this set is ready, and it was so for handshakes only.
bool is_truly_ready(int outer, const epoll_event& event) {
  bool is_true = true;
  nested.for_each([&](uint64_t, const Table::Value& value, uint64_t) {
    if (value[0] == uint64_t(outer) && value[2] == event.data.u64)
      is_true = is_readable_after_handshakes(static_cast<int>(value[1]));
  });
  return is_true;
}

// False if it is an event of a handshake's, which is thereby taken further.
bool is_for_program(int epfd, epoll_event& event) {
  const uint64_t key = event.data.u64 ^ secret();
  const auto registration = find(key);
  if (!registration || !registration->is_withheld)
    return nested.empty() || is_truly_ready(epfd, event);
  const Identity identity = key / most_sets;
  if (sockets::identity(registration->fd) == identity) {
    if (const auto socket = settle_fd(registration->fd); !socket || socket->state != State::pending)
      give_back(identity); // if the thread that ended it has not yet come to that
    return false;
  }
  // The number it was registered by is closed, but the socket lives on in a dup. The kernel has no way any
  // more to give the registration back, so its events are translated.
  if (const auto socket = sockets::find(identity); socket && settle(identity, *socket).state == State::pending)
    return false;
  event.data.u64 = registration->data;
  event.events &= registration->events | EPOLLERR | EPOLLHUP;
  return event.events != 0;
}

} // namespace

int control(int epfd, int operation, int fd, epoll_event* event) {
  const bool is_news = operation == EPOLL_CTL_ADD;
  if (!is_news && table.empty() && nested.empty() && !pending::any())
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const Identity identity = sockets::identity(fd);
  if (!identity)
    return control_nested(epfd, operation, fd, event);
  uint64_t key = locate(identity, epfd, fd);
  std::optional<Socket> socket;
  if (event && operation != EPOLL_CTL_DEL) {
    socket = settle_fd(fd);
    if (!key && matters(fd, operation, socket))
      key = free_key(identity);
  }
  if (!key)
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  if (!event || operation == EPOLL_CTL_DEL)
    return leave(key, epfd, fd, event);
  return enter(key, {epfd, fd, event->data.u64, event->events, false}, socket, operation);
}

bool is_readable_after_handshakes(int fd) {
  KeepErrno keep;
  settle_all();
  pollfd question{fd, POLLIN, 0};
  return REAL(poll)(&question, 1, 0) > 0;
}

bool holds_handshakes(int epfd) {
  bool found = false;
  table.for_each([&](uint64_t, const Table::Value& value, uint64_t) {
    const Registration registration = unpack(value);
    found = found || (registration.is_withheld && registration.epfd == epfd);
  });
  return found;
}

bool any_withheld() { return withheld.load(std::memory_order_relaxed) > 0; }

void withhold(Identity socket, short events) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    set_withheld(key, registration, true);
    if (modify(registration, events_for_handshake(key, events)) != 0)
      forget(key, {.is_withheld = true}); // the set is closed, or the socket is no longer in it
  });
}

void give_back(Identity socket) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    if (!registration.is_withheld)
      return;
    if (modify(registration, own_event(registration)) == 0)
      set_withheld(key, registration, false);
    else if (errno != EBADF)
      forget(key, registration);
  });
}

int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask) {
  for (bool was_over = false;;) {
    const int program = deadline.left(), handshakes = pending::next_deadline().left();
    const bool handshakes_first = handshakes >= 0 && (program < 0 || handshakes < program);
    const int count = REAL(epoll_pwait)(epfd, events, size, handshakes_first ? handshakes : program, mask);
    if (count < 0)
      return count;
    const int kept = sift(epfd, events, count);
    // A handshake that has just ended shows by one more look.
    if (kept > 0 || (program == 0 && (count == 0 || std::exchange(was_over, true))))
      return kept;
    if (count == 0 && handshakes_first)
      settle_all();
  }
}

int sift(int epfd, epoll_event* events, int count) {
  int kept = 0;
  for (int i = 0; i < count; ++i)
    if (is_for_program(epfd, events[i]))
      events[kept++] = events[i];
  return kept;
}

Move::Move(int fd) {
  for_each_of(sockets::identity(fd), [&](uint64_t key, const Registration& registration) {
    if (registration.fd != fd)
      return;
    m_registrations[m_count++] = {registration.epfd, own_event(registration)};
    leave(key, registration.epfd, fd, nullptr);
  });
}

void Move::finish(int fd) {
  for (int i = 0; i < m_count; ++i)
    control(m_registrations[i].epfd, EPOLL_CTL_ADD, fd, &m_registrations[i].event);
}

} // namespace socksify::epoll
