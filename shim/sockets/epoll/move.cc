// SPDX-License-Identifier: MIT
#include "sockets/epoll/move.h"
#include "kernel/real.h"
#include "sockets/epoll/set.h"

namespace socksify::epoll {
namespace {

// A listening socket never gets a CONNECT or BIND, so its registrations need not be remembered.
bool is_listening(int fd) {
  int accepts = 0;
  socklen_t length = sizeof accepts;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts;
}

} // namespace

Move::Move(int fd) : m_fd(fd) {
  for_each_of(sockets::identity(fd), [&](uint64_t key, const Registration& registration) {
    if (registration.fd != fd || m_count == most_sets)
      return;
    epoll_event event{.events = registration.events, .data = {.u64 = registration.data}};
    if (is_spent(registration.epfd, fd, registration.events))
      event.events = EPOLLONESHOT;
    m_moved[m_count++] = {registration.epfd, event};
    remove(key, registration.epfd, fd, nullptr);
  });
}

void Move::finish() {
  const Identity socket = is_listening(m_fd) ? 0 : sockets::identity(m_fd);
  for (int i = 0; i < m_count; ++i)
    add(socket, m_moved[i]);
}

void Move::add(Identity socket, Moved& moved) const {
  const MaskChange change;
  const uint64_t key = socket ? reserve(socket, m_fd) : 0;
  const bool added = REAL(epoll_ctl)(moved.epfd, EPOLL_CTL_ADD, m_fd, &moved.event) == 0;
  if (!key)
    return;
  if (!added)
    return forget(key);
  store(key,
        {.epfd = moved.epfd, .fd = m_fd, .data = moved.event.data.u64, .events = moved.event.events, .socket = socket});
}

} // namespace socksify::epoll
