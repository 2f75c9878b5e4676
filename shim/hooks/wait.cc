// SPDX-License-Identifier: MIT
// poll(), select(), epoll and their relatives.
#include "calls/wait.h"
#include "config/config.h"
#include "kernel/real.h"

using namespace socksify;

extern "C" {
int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t size);
int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t size);
}

HOOK int poll(pollfd* fds, nfds_t count, int timeout) {
  return wait::by_poll(fds, count, timeout, nullptr, [&] { return REAL(poll)(fds, count, timeout); });
}
HOOK int __poll(pollfd* fds, nfds_t count, int timeout) __attribute__((alias("poll")));

HOOK int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t size) {
  if (size / sizeof *fds < count)
    return REAL(__poll_chk)(fds, count, timeout, size); // ends the program
  return wait::by_poll(fds, count, timeout, nullptr, [&] { return REAL(poll)(fds, count, timeout); });
}

HOOK int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return wait::by_poll(fds, count, timeout, mask, [&] { return REAL(ppoll)(fds, count, timeout, mask); });
}

HOOK int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t size) {
  if (size / sizeof *fds < count)
    return REAL(__ppoll_chk)(fds, count, timeout, mask, size);
  return wait::by_poll(fds, count, timeout, mask, [&] { return REAL(ppoll)(fds, count, timeout, mask); });
}

HOOK int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
  return wait::by_select({count, readable, writable, exceptional}, timeout,
                         [&] { return REAL(select)(count, readable, writable, exceptional, timeout); });
}
HOOK int __select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout)
    __attribute__((alias("select")));

HOOK int pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec* timeout,
                 const sigset_t* mask) {
  return wait::by_pselect({count, readable, writable, exceptional}, timeout, mask,
                          [&] { return REAL(pselect)(count, readable, writable, exceptional, timeout, mask); });
}

HOOK int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) noexcept {
  if (!is_active())
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  return epoll::control(epfd, operation, fd, event);
}

HOOK int epoll_wait(int epfd, epoll_event* events, int size, int timeout) {
  return wait::by_epoll(epfd, events, size, timeout, nullptr,
                        [&] { return REAL(epoll_wait)(epfd, events, size, timeout); });
}

HOOK int epoll_pwait(int epfd, epoll_event* events, int size, int timeout, const sigset_t* mask) {
  return wait::by_epoll(epfd, events, size, timeout, mask,
                        [&] { return REAL(epoll_pwait)(epfd, events, size, timeout, mask); });
}

HOOK int epoll_pwait2(int epfd, epoll_event* events, int size, const timespec* timeout, const sigset_t* mask) {
  return wait::by_epoll(epfd, events, size, timeout, mask,
                        [&] { return REAL(epoll_pwait2)(epfd, events, size, timeout, mask); });
}
