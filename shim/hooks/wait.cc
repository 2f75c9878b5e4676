// SPDX-License-Identifier: MIT
// The exported functions that wait. With no CONNECT on its way, which is one load to know, each is a jump to
// the real one.
#include "calls/epoll.h"
#include "calls/poll.h"
#include "config/config.h"
#include "handshake/pending.h"
#include "kernel/real.h"
#include "sockets/epoll_registrations.h"
#include "sockets/readiness.h"
#include <sys/single_threaded.h>

using namespace socksify;

extern "C" {
int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t room);
#if __TIMESIZE == 32 // what programs with a time of 64 bits call there
struct timespec64 {
  int64_t tv_sec;
  int32_t tv_nsec, unused;
};
struct timeval64 {
  int64_t tv_sec, tv_usec;
};
int __ppoll64(pollfd* fds, nfds_t count, const timespec64* timeout, const sigset_t* mask);
int __select64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval64* timeout);
int __pselect64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec64* timeout,
                const sigset_t* mask);
int __epoll_pwait2_time64(int epfd, epoll_event* events, int size, const timespec64* timeout, const sigset_t* mask);
#endif
}

namespace {

// No look at the clock for the two that are asked for most: 0 and -1.
Deadline after(int milliseconds) { return milliseconds < 0 ? Deadline::never() : Deadline::after(milliseconds); }

// Rounded up, so that no wait is shorter than it was asked to be.
template <typename Timespec> Deadline after(const Timespec* timeout) {
  return timeout ? Deadline::after(int64_t{timeout->tv_sec} * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000)
                 : Deadline::never();
}

template <typename Timespec> bool is_valid(const Timespec* timeout) {
  return !timeout || (timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < 1'000'000'000);
}

// What the kernel says of some sockets is not what is true for the program.
bool is_to_translate() { return pending::any() || readiness::any(); }

// With nothing on its way, and no other thread that could begin something during the wait, the real call is a jump: to
// return through here once more would cost as much as a tenth of it, because processors forget in a system call where
// functions return to.
bool is_free_to_jump() { return __libc_single_threaded && !is_to_translate() && !epoll::any_masked(); }

// The real wait; but if a CONNECT is on its way, or has come on its way since the wait began, ours for what is left of
// the time.
template <typename Timeout, typename Real>
int poll_or_progress(pollfd* fds, nfds_t count, Timeout timeout, const sigset_t* mask, Real real) {
  const Deadline deadline = after(timeout);
  if (!is_to_translate()) {
    const int result = real();
    if (result <= 0 || !is_to_translate())
      return result;
  }
  return poll_and_progress(fds, count, deadline, mask);
}

[[gnu::noinline]] int poll_all(pollfd* fds, nfds_t count, int timeout) {
  return poll_or_progress(fds, count, timeout, nullptr, [&] { return REAL(poll)(fds, count, timeout); });
}

[[gnu::noinline]] int ppoll_all(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  const auto real = [&] { return REAL(ppoll)(fds, count, timeout, mask); };
  return is_valid(timeout) ? poll_or_progress(fds, count, timeout, mask, real) : real();
}

template <typename Timeout, typename Real>
int epoll_or_progress(int epfd, epoll_event* events, int size, Timeout timeout, const sigset_t* mask, Real real) {
  const Deadline deadline = after(timeout);
  if (!epoll::any_masked()) {
    const uint32_t before = epoll::times_unmasked();
    const int count = real();
    if (count <= 0 || (!epoll::any_masked() && before == epoll::times_unmasked()))
      return count;
    if (const int kept = epoll::sift(epfd, events, count))
      return kept;
  }
  return epoll::wait(epfd, events, size, deadline, mask);
}

[[gnu::noinline]] int epoll_wait_all(int epfd, epoll_event* events, int size, int timeout) {
  return epoll_or_progress(epfd, events, size, timeout, nullptr,
                           [&] { return REAL(epoll_wait)(epfd, events, size, timeout); });
}

[[gnu::noinline]] int epoll_pwait_all(int epfd, epoll_event* events, int size, int timeout, const sigset_t* mask) {
  return epoll_or_progress(epfd, events, size, timeout, mask,
                           [&] { return REAL(epoll_pwait)(epfd, events, size, timeout, mask); });
}

[[gnu::noinline]] int epoll_pwait2_all(int epfd, epoll_event* events, int size, const timespec* timeout,
                                       const sigset_t* mask) {
  const auto real = [&] { return REAL(epoll_pwait2)(epfd, events, size, timeout, mask); };
  return is_valid(timeout) ? epoll_or_progress(epfd, events, size, timeout, mask, real) : real();
}

// Linux' select() leaves in *timeout what is left of it.
template <typename Timeval, typename Real>
int select_or_progress(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, Timeval* timeout,
                       Real real) {
  const bool is_odd = count < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0));
  if (is_odd)
    return real();
  const Deadline deadline =
      timeout ? Deadline::after(int64_t{timeout->tv_sec} * 1000 + (timeout->tv_usec + 999) / 1000) : Deadline::never();
  const int result = select_and_progress(count, readable, writable, exceptional, deadline, nullptr);
  if (timeout) {
    const int left = deadline.left();
    *timeout = {left / 1000, left % 1000 * 1000};
  }
  return result;
}

} // namespace

HOOK int poll(pollfd* fds, nfds_t count, int timeout) {
  if (is_free_to_jump())
    return REAL(poll)(fds, count, timeout);
  return poll_all(fds, count, timeout);
}
HOOK int __poll(pollfd* fds, nfds_t count, int timeout) __attribute__((alias("poll")));

HOOK int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t room) {
  if (room / sizeof *fds < count)
    return REAL(__poll_chk)(fds, count, timeout, room); // which ends the program
  return poll_all(fds, count, timeout);
}

HOOK int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (is_free_to_jump())
    return REAL(ppoll)(fds, count, timeout, mask);
  return ppoll_all(fds, count, timeout, mask);
}

HOOK int __ppoll_chk(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t room) {
  if (room / sizeof *fds < count)
    return REAL(__ppoll_chk)(fds, count, timeout, mask, room);
  return ppoll_all(fds, count, timeout, mask);
}

HOOK int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
  if (!is_to_translate())
    return REAL(select)(count, readable, writable, exceptional, timeout);
  return select_or_progress(count, readable, writable, exceptional, timeout,
                            [&] { return REAL(select)(count, readable, writable, exceptional, timeout); });
}
HOOK int __select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout)
    __attribute__((alias("select")));

HOOK int pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec* timeout,
                 const sigset_t* mask) {
  if (!is_to_translate() || count < 0 || !is_valid(timeout))
    return REAL(pselect)(count, readable, writable, exceptional, timeout, mask);
  return select_and_progress(count, readable, writable, exceptional, after(timeout), mask);
}

HOOK int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) noexcept {
  if (!config().active)
    return REAL(epoll_ctl)(epfd, operation, fd, event);
  return epoll::control(epfd, operation, fd, event);
}

HOOK int epoll_wait(int epfd, epoll_event* events, int size, int timeout) {
  if (is_free_to_jump())
    return REAL(epoll_wait)(epfd, events, size, timeout);
  return epoll_wait_all(epfd, events, size, timeout);
}

HOOK int epoll_pwait(int epfd, epoll_event* events, int size, int timeout, const sigset_t* mask) {
  if (is_free_to_jump())
    return REAL(epoll_pwait)(epfd, events, size, timeout, mask);
  return epoll_pwait_all(epfd, events, size, timeout, mask);
}

HOOK int epoll_pwait2(int epfd, epoll_event* events, int size, const timespec* timeout, const sigset_t* mask) {
  if (is_free_to_jump())
    return REAL(epoll_pwait2)(epfd, events, size, timeout, mask);
  return epoll_pwait2_all(epfd, events, size, timeout, mask);
}

#if __TIMESIZE == 32
HOOK int __ppoll64(pollfd* fds, nfds_t count, const timespec64* timeout, const sigset_t* mask) {
  const auto real = [&] { return REAL(__ppoll64)(fds, count, timeout, mask); };
  return is_valid(timeout) ? poll_or_progress(fds, count, timeout, mask, real) : real();
}

HOOK int __select64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval64* timeout) {
  const auto real = [&] { return REAL(__select64)(count, readable, writable, exceptional, timeout); };
  return is_to_translate() ? select_or_progress(count, readable, writable, exceptional, timeout, real) : real();
}

HOOK int __pselect64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec64* timeout,
                     const sigset_t* mask) {
  if (!is_to_translate() || count < 0 || !is_valid(timeout))
    return REAL(__pselect64)(count, readable, writable, exceptional, timeout, mask);
  return select_and_progress(count, readable, writable, exceptional, after(timeout), mask);
}

HOOK int __epoll_pwait2_time64(int epfd, epoll_event* events, int size, const timespec64* timeout,
                               const sigset_t* mask) {
  const auto real = [&] { return REAL(__epoll_pwait2_time64)(epfd, events, size, timeout, mask); };
  return is_valid(timeout) ? epoll_or_progress(epfd, events, size, timeout, mask, real) : real();
}
#endif
