// SPDX-License-Identifier: MIT
#include "calls/epoll.h"
#include "base/fd.h"
#include "calls/epoll_ctl.h"
#include "handshake/progress.h"
#include "kernel/cookie_map.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include "sockets/epoll/mask.h"
#include "sockets/epoll/registrations.h"
#include "sockets/epoll/set.h"
#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/single_threaded.h>
#include <utility>

namespace socksify::epoll {
namespace {

// Epoll sets that are members of other sets. The key is made of both numbers; the value is both and the data word.
constinit CookieMap nested;

uint64_t nested_key(int outer, int inner) { return (uint64_t(outer) << 32 | uint32_t(inner)) + 1; }

int control_nested(int outer, int operation, int inner, epoll_event* event) {
  const bool is_member = operation == EPOLL_CTL_ADD && is_readable(event) && is_set(inner);
  const int result = REAL(epoll_ctl)(outer, operation, inner, event);
  const uint64_t key = nested_key(outer, inner);
  CookieMap::Value value{};
  if (result != 0 || (!is_member && !nested.find(key, value)))
    return result;
  if (operation == EPOLL_CTL_DEL || (operation == EPOLL_CTL_ADD && !is_member))
    nested.erase(key);
  else if (event)
    nested.store(key, {uint64_t(outer), uint64_t(inner), event->data.u64});
  return result;
}

// False if the event reports a nested set that is ready only for handshakes. The numbers may be those of other files by
// now: close() is not hooked.
bool is_truly_ready(int outer, const epoll_event& event) {
  bool is_true = true;
  nested.for_each([&](uint64_t, const CookieMap::Value& value, uint64_t) {
    const int inner = static_cast<int>(value[1]);
    if (value[0] == uint64_t(outer) && value[2] == event.data.u64 && is_set(inner))
      is_true = is_ready_after_handshakes(inner, POLLIN);
  });
  return is_true;
}

bool is_still_masked(int epfd, const epoll_event& event) {
  const auto registration = registration_for(epfd, event);
  return registration && registration->is_masked();
}

// An event of a handshake, which takes its next step here. True if the event is the program's now.
bool is_translated(int epfd, epoll_event& event) {
  const auto registration = registration_for(epfd, event);
  if (!registration || !registration->is_masked())
    return false; // reported before it was unmasked or removed; what is the program's, the kernel will report again
  const auto socket = sockets::lookup(registration->socket);
  if (socket && progress_known(registration->socket, *socket).is<Pending>())
    return false;
  if (!is_still_masked(epfd, event))
    return false;                   // the kernel will report the program's event
  unmask(registration->socket, -1); // in case the thread that ended the handshake has not done so yet
  if (!is_still_masked(epfd, event))
    return false;
  // The number that it was registered by belongs to another file now. The kernel offers no way to unmask such a
  // registration, so its events are translated.
  event.data.u64 = registration->data;
  event.events &= registration->events | EPOLLERR | EPOLLHUP;
  return event.events != 0;
}

// True if this process can do nothing about the cookie: its socket is open in another process only, or not at all.
bool is_out_of_reach(const epoll_event& event) {
  const auto registration = registration_at(cookie_of(event.data.u64));
  return !registration || registration->epfd < 0 ||
         (registration->is_masked() && sockets::find_open_fd(registration->socket, registration->fd) < 0);
}

// The kernel may go on reporting such a cookie.
void nap(Deadline deadline) {
  constexpr int milliseconds = 10;
  const int left = std::min(deadline, Deadline::after(milliseconds)).left();
  REAL(poll)(nullptr, 0, left);
}

// When a wait has to end even if the kernel reports nothing.
Deadline next_look() {
  return __libc_single_threaded ? next_progress_by_epoll() : std::min(next_progress_by_epoll(), longest_sleep());
}

} // namespace

int control(int epfd, int operation, int fd, epoll_event* event) {
  if (operation != EPOLL_CTL_ADD && no_registrations() && nested.empty() && !any_connecting())
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const auto identity = sockets::identity(fd);
  return identity ? control(identity, epfd, operation, fd, event) : control_nested(epfd, operation, fd, event);
}

int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask) {
  for (bool was_over = false;;) {
    const Sift sift;
    progress_ended();
    const int program = deadline.left();
    const int count = REAL(epoll_pwait)(epfd, events, size, std::min(deadline, next_look()).left(), mask);
    if (count < 0)
      return count;
    const int kept = sift(epfd, events, count);
    // A handshake that has just ended shows only when the kernel is asked once more.
    if (kept > 0 || (program == 0 && (count == 0 || std::exchange(was_over, true))))
      return kept;
    if (count > 0 && is_out_of_reach(events[0]))
      nap(deadline);
    progress_overdue();
  }
}

int Sift::operator()(int epfd, epoll_event* events, int count) const {
  KeepErrno keep;
  int kept = 0;
  for (int i = 0; i < count; ++i)
    if (is_cookie(events[i].data.u64) ? is_translated(epfd, events[i]) : is_ready(epfd, events[i]))
      events[kept++] = events[i];
  return kept;
}

bool Sift::is_ready(int epfd, const epoll_event& event) const {
  return nested.empty() || !is_needed() || is_truly_ready(epfd, event);
}

bool is_ready_after_handshakes(int fd, short events) {
  KeepErrno keep;
  progress_all();
  pollfd question{fd, events, 0};
  return REAL(poll)(&question, 1, 0) > 0;
}

} // namespace socksify::epoll
