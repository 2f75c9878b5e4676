// SPDX-License-Identifier: MIT
#include "sockets/epoll_mask.h"
#include "base/fd.h"
#include "kernel/real.h"
#include "sockets/epoll_fd.h"
#include "sockets/epoll_oneshot.h"
#include "sockets/readiness.h"
#include <cerrno>
#include <poll.h>

namespace socksify::epoll {
namespace {

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
  event.data.u64 = cookie_of(key);
  return event;
}

// Whatever the order in which threads change what is remembered and tell the kernel so, what is remembered in the end
// is what the kernel was told last. 0 or an errno.
int tell_kernel(uint64_t key, const Registration& changed) {
  for (std::optional<Registration> told = changed;;) {
    const int error = modify(*told, event_of(key, *told)) == 0 ? 0 : errno;
    const auto now = find(key);
    if (now == told)
      return error;
    if (!now || now->epfd < 0)
      return 0;
    told = now;
  }
}

} // namespace

epoll_event own_event(const Registration& registration) {
  epoll_event event{};
  event.events = registration.is_listener ? readiness::possible(registration.events) : registration.events;
  event.data.u64 = registration.data;
  return event;
}

epoll_event event_of(uint64_t key, const Registration& registration) {
  if (!registration.is_masked())
    return own_event(registration);
  epoll_event event = event_of_handshake(key, registration.handshake);
  event.events |= registration.events & EPOLLEXCLUSIVE;
  return event;
}

void unmask_one(uint64_t key, int known_fd) {
  for (;;) {
    const auto before = find(key);
    if (!before || before->epfd < 0 || !before->is_masked())
      return;
    const OldNumber number{before->socket, before->fd, known_fd};
    if (!number.is_there())
      return;
    Registration own = *before;
    own.handshake = 0;
    if (!compare_and_store(key, *before, own))
      continue;
    const int error = tell_kernel(key, own);
    if (error == ENOENT)
      compare_and_store(key, own, Registration{});
    else if (error)
      compare_and_store(key, own, *before); // the set has another number now: see named_by()
    return;
  }
}

void mask_one(uint64_t key, short events, int known_fd) {
  for (;;) {
    const auto before = find(key);
    if (!before || before->epfd < 0)
      return;
    const OldNumber number{before->socket, before->fd, known_fd};
    if (!number.is_there())
      return;
    // Whose one shot has been fired says nothing any more until the program arms it anew. There is no way to leave it
    // like that other than not to touch it: EPOLL_CTL_MOD adds EPOLLERR and EPOLLHUP to all that it is given.
    if (!before->is_masked() && is_spent(before->epfd, before->fd, before->events))
      return;
    Registration ours = *before;
    ours.handshake = events;
    if (!compare_and_store(key, *before, ours))
      continue;
    if (tell_kernel(key, ours) != 0)
      compare_and_store(key, ours, Registration{}); // the set is closed, or the socket is no longer in it
    return;
  }
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

void listens(Identity socket, bool is_listener) {
  KeepErrno keep;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    Registration now = registration;
    now.is_listener = is_listener;
    const bool is_silent = is_spent(registration.epfd, registration.fd, registration.events); // see withhold_one()
    if (compare_and_store(key, registration, now) && !is_silent)
      tell_kernel(key, now);
  });
}

} // namespace socksify::epoll
