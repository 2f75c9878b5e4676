// SPDX-License-Identifier: MIT
#include "calls/epoll.h"
#include "base/fd.h"
#include "base/format.h"
#include "base/text.h"
#include "calls/epoll_ctl.h"
#include "handshake/progress.h"
#include "kernel/cookie_map.h"
#include "kernel/real.h"
#include "sockets/epoll/mask.h"
#include "sockets/epoll/registrations.h"
#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace socksify::epoll {
namespace {

// Epoll sets that are members of other sets. The key is made of both numbers; the value is both and the data word.
constinit CookieMap nested;

uint64_t nested_key(int outer, int inner) { return (uint64_t(outer) << 32 | uint32_t(inner)) + 1; }

bool is_set(int fd) {
  KeepErrno keep;
  constexpr std::string_view name = "anon_inode:[eventpoll]";
  Text<40> path;
  path.append(FMT_COMPILE("/proc/self/fd/{}"), fd);
  char target[name.size() + 1];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length >= 0 && std::string_view{target, static_cast<size_t>(length)} == name;
}

int control_nested(int outer, int operation, int inner, epoll_event* event) {
  const bool is_member = operation == EPOLL_CTL_ADD && event && is_set(inner);
  const int result = REAL(epoll_ctl)(outer, operation, inner, event);
  const uint64_t key = nested_key(outer, inner);
  CookieMap::Value value{};
  if (result != 0 || (!is_member && !nested.find(key, value)))
    return result;
  if (operation == EPOLL_CTL_DEL)
    nested.erase(key);
  else if (event)
    nested.store(key, {uint64_t(outer), uint64_t(inner), event->data.u64});
  return result;
}

// False if the event reports a nested set that is ready only for handshakes.
bool is_truly_ready(int outer, const epoll_event& event) {
  bool is_true = true;
  nested.for_each([&](uint64_t, const CookieMap::Value& value, uint64_t) {
    if (value[0] == uint64_t(outer) && value[2] == event.data.u64)
      is_true = is_ready_after_handshakes(static_cast<int>(value[1]), POLLIN);
  });
  return is_true;
}

bool is_still_masked(int epfd, const epoll_event& event) {
  const auto registration = registration_for(epfd, event);
  return registration && registration->is_masked();
}

// False if it is an event of a handshake, which takes its next step here.
bool is_for_program(int epfd, epoll_event& event) {
  const auto registration = registration_for(epfd, event);
  if (!registration)
    return nested.empty() || is_truly_ready(epfd, event);
  if (!registration->is_masked())
    return false; // reported before it was unmasked: the kernel will report the program's event again
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

} // namespace

int control(int epfd, int operation, int fd, epoll_event* event) {
  if (operation != EPOLL_CTL_ADD && no_registrations() && nested.empty() && !any_connecting())
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  const auto identity = sockets::identity(fd);
  return identity ? control(identity, epfd, operation, fd, event) : control_nested(epfd, operation, fd, event);
}

int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask) {
  for (bool was_over = false;;) {
    const int program = deadline.left();
    const int limit = std::min(deadline, next_progress_by_epoll()).left();
    const int count = REAL(epoll_pwait)(epfd, events, size, limit, mask);
    if (count < 0)
      return count;
    const int kept = sift(epfd, events, count);
    // A handshake that has just ended shows only when the kernel is asked once more.
    if (kept > 0 || (program == 0 && (count == 0 || std::exchange(was_over, true))))
      return kept;
    if (!progress_overdue() && count == 0)
      progress_ended();
  }
}

int sift(int epfd, epoll_event* events, int count) {
  KeepErrno keep;
  int kept = 0;
  for (int i = 0; i < count; ++i)
    if (is_for_program(epfd, events[i]))
      events[kept++] = events[i];
  return kept;
}

bool holds_handshakes(int epfd) {
  bool holds = holds_masked(epfd);
  nested.for_each(
      [&](uint64_t, const CookieMap::Value& value, uint64_t) { holds = holds || value[0] == uint64_t(epfd); });
  return holds;
}

bool is_ready_after_handshakes(int fd, short events) {
  KeepErrno keep;
  progress_all();
  pollfd question{fd, events, 0};
  return REAL(poll)(&question, 1, 0) > 0;
}

} // namespace socksify::epoll
