// SPDX-License-Identifier: MIT
#include "sockets/epoll/mask.h"
#include "base/fd.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "sockets/epoll/fd.h"
#include "sockets/epoll/set.h"
#include "sockets/readiness.h"
#include <cerrno>
#include <poll.h>

namespace socksify::epoll {
namespace {

// An exclusive registration cannot be modified, only removed and added again.
int modify(const Registration& registration, epoll_event event) {
  if (!(registration.events & EPOLLEXCLUSIVE))
    return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_MOD, registration.fd, &event);
  event.events |= EPOLLEXCLUSIVE;
  if (const int result = REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_DEL, registration.fd, nullptr))
    return result; // the program has removed it
  return REAL(epoll_ctl)(registration.epfd, EPOLL_CTL_ADD, registration.fd, &event);
}

// The program has removed the registration meanwhile. 0.
int undo_modify(const Registration& given) {
  if (given.events & EPOLLEXCLUSIVE)
    REAL(epoll_ctl)(given.epfd, EPOLL_CTL_DEL, given.fd, nullptr);
  return 0;
}

// What the kernel should hold when no CONNECT is in progress. A BIND gets one call, so one edge: the kernel would
// report another one for each of the caller's first bytes.
epoll_event own_event(const Registration& registration) {
  epoll_event event{};
  event.events = registration.is_listener ? readiness::possible(registration.events) : registration.events;
  if (registration.is_listener && (registration.events & (EPOLLET | EPOLLEXCLUSIVE)) == EPOLLET)
    event.events |= EPOLLONESHOT; // which an exclusive registration cannot have
  event.data.u64 = registration.data;
  return event;
}

epoll_event event_of_handshake(uint64_t key, short events) {
  epoll_event event{};
  event.events = events & POLLOUT ? EPOLLOUT : EPOLLIN;
  event.data.u64 = cookie_of(key);
  return event;
}

// Brings the kernel up to date. Several threads may change a registration and call epoll_ctl() in different orders, so
// this repeats until the kernel was last given what the table holds. 0 or an errno.
int update_kernel(uint64_t key, const Registration& changed) {
  for (Registration given = changed;;) {
    const int error = modify(given, event_of(key, given)) == 0 ? 0 : errno;
    const auto now = registration_at(key);
    if (now == given)
      return error;
    if (!now || now->epfd < 0)
      return undo_modify(given);
    given = *now;
  }
}

enum class Step { done, again };

// True if another process that shares the set has unmasked the registration. It may even have taken the event, which
// another EPOLL_CTL_MOD would report again.
bool is_unmasked_elsewhere(const Registration& before) {
  return forks::may_share() && is_member(before.epfd, before.fd, before.data);
}

// If the kernel refuses, the program has closed the number of the set: it may have a dup.
Step try_unmask(uint64_t key, const Registration& before) {
  Registration own = before;
  own.handshake = 0;
  const bool is_known_to_kernel = is_unmasked_elsewhere(before);
  if (!compare_and_store(key, before, own))
    return Step::again;
  if (is_known_to_kernel || update_kernel(key, own) == 0)
    return Step::done;
  Registration renumbered = before;
  renumbered.epfd = find_set_with(cookie_of(key));
  const bool is_there = renumbered.epfd >= 0 && renumbered.epfd != before.epfd;
  compare_and_store(key, own, is_there ? renumbered : Registration{});
  return is_there ? Step::again : Step::done;
}

Step try_mask(uint64_t key, const Registration& before, short events) {
  // A spent EPOLLONESHOT registration reports nothing until it is re-armed. The only way to keep it like that is to
  // leave it alone: EPOLL_CTL_MOD adds EPOLLERR and EPOLLHUP to whatever it is given.
  if (!before.is_masked() && is_spent(before.epfd, before.fd, before.events))
    return Step::done;
  Registration masked = before;
  masked.handshake = events;
  if (!compare_and_store(key, before, masked))
    return Step::again;
  if (update_kernel(key, masked) != 0)
    compare_and_store(key, masked, Registration{}); // the set is closed, or the socket was removed from it
  return Step::done;
}

// Calls attempt(registration) until no other thread interferes, while the registration can be reached by its number.
template <typename Attempt> void change(uint64_t key, int known_fd, Attempt attempt) {
  for (;;) {
    const auto before = registration_at(key);
    if (!before || before->epfd < 0)
      return;
    const OldNumber number{before->socket, before->fd, known_fd};
    if (!number.is_there() || attempt(*before) == Step::done)
      return;
  }
}

// False if the number that the set is known by no longer is that set's, so that the kernel refuses the change.
bool is_reached(uint64_t key, const Registration& registration) {
  KeepErrno keep;
  const OldNumber number{registration.socket, registration.fd, -1};
  return number.is_there() && update_kernel(key, registration) == 0;
}

} // namespace

// An event of a set by another number than that of the registration: either the set has been waited for by a dup, or
// the socket is in another set by now.
std::optional<Registration> registration_for(int epfd, const epoll_event& event) {
  const uint64_t key = cookie_of(event.data.u64);
  const auto registration = registration_at(key);
  if (!registration || !registration->is_masked() || registration->epfd == epfd || is_reached(key, *registration))
    return registration;
  Registration renumbered = *registration;
  renumbered.epfd = epfd;
  return compare_and_store(key, *registration, renumbered) ? renumbered : registration_at(key);
}

epoll_event event_of(uint64_t key, const Registration& registration) {
  if (!registration.is_masked())
    return own_event(registration);
  epoll_event event = event_of_handshake(key, registration.handshake);
  event.events |= registration.events & EPOLLEXCLUSIVE;
  return event;
}

void unmask_one(uint64_t key, int known_fd) {
  if (const auto registration = registration_at(key); !registration || !registration->is_masked())
    return;
  change(key, known_fd,
         [key](const Registration& before) { return before.is_masked() ? try_unmask(key, before) : Step::done; });
}

void mask_one(uint64_t key, short events, int known_fd) {
  change(key, known_fd, [=](const Registration& before) { return try_mask(key, before, events); });
}

void mask(Identity socket, short events, int known_fd) {
  KeepErrno keep;
  const MaskChange change;
  for_each_of(socket, [&](uint64_t key, const Registration&) { mask_one(key, events, known_fd); });
}

void unmask(Identity socket, int known_fd) {
  KeepErrno keep;
  if (!any_masked())
    return;
  const MaskChange change;
  for_each_of(socket, [&](uint64_t key, const Registration&) { unmask_one(key, known_fd); });
}

void set_listener(Identity socket, bool is_listener) {
  KeepErrno keep;
  const Uninterrupted whole;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    if (registration.is_listener == is_listener)
      return;
    Registration now = registration;
    now.is_listener = is_listener;
    const bool is_silent = is_spent(registration.epfd, registration.fd, registration.events); // see try_mask()
    if (compare_and_store(key, registration, now) && !is_silent)
      update_kernel(key, now);
  });
}

} // namespace socksify::epoll
