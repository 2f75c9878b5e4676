// SPDX-License-Identifier: MIT
// Hooked calls that wait: the real one while nothing is in progress, else ours for the time that is left.
#pragma once
#include "calls/epoll.h"
#include "calls/poll.h"
#include "config/config.h"
#include "handshake/progress.h"
#include "handshake/unseen_waits.h"
#include "kernel/readable.h"
#include "sockets/epoll/registrations.h"
#include "sockets/unfinished.h"
#include <climits>
#include <optional>
#include <sys/single_threaded.h>

namespace socksify::wait {

inline Deadline after(int milliseconds) { return milliseconds < 0 ? Deadline::never() : Deadline::after(milliseconds); }

// Rounded up, so that no wait is shorter than requested.
template <typename Timespec> Deadline after(const Timespec* timeout) {
  return timeout ? Deadline::after(int64_t{timeout->tv_sec} * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000)
                 : Deadline::never();
}

template <typename Timespec> bool is_valid(const Timespec* timeout) {
  return !timeout ||
         (is_readable(timeout) && timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < 1'000'000'000);
}
inline bool is_valid(int) { return true; }

// True if the kernel's events of some socket are not those that the program should see.
inline bool needs_translation() { return any_connecting() || any_awaiting_call(); }

// Fast path: true if nothing is in progress, and no other thread can start anything during the wait.
inline bool is_undisturbed() {
  return !config().active || (__libc_single_threaded && !needs_translation() && !epoll::any_masked());
}

inline bool is_readable_set(const fd_set* set, int count) {
  return !set || is_readable(set, (static_cast<size_t>(count) + NFDBITS - 1) / NFDBITS * sizeof(fd_mask));
}

// True if the kernel rejects the arguments.
template <typename Time> bool is_rejected(const FdSets& sets, const Time* time) {
  return sets.count < 0 || (time && !is_readable(time)) || !is_readable_set(sets.readable, sets.count) ||
         !is_readable_set(sets.writable, sets.count) || !is_readable_set(sets.exceptional, sets.count);
}

// True if another thread may start a CONNECT during this wait, whose time may be over before anything ends the wait.
inline bool outlasts_connect(Deadline deadline) { return config().active && deadline > longest_sleep(); }

// Repeats a real wait until it returns what is the program's. Nothing: another thread has started a CONNECT meanwhile,
// and the events may be the handshake's.
template <typename Wait> std::optional<int> ask_kernel(Deadline deadline, Wait wait) {
  const bool is_long = outlasts_connect(deadline);
  while (!needs_translation()) {
    const uint32_t before = epoll::times_unmasked();
    const int result = wait(is_long);
    if (result < 0 || (result == 0 && (!is_long || deadline.left() == 0)))
      return result;
    if (result > 0)
      return !needs_translation() && before == epoll::times_unmasked() ? std::optional{result} : std::nullopt;
  }
  return std::nullopt;
}

// poll() and its relatives.
template <typename Timeout, typename Real>
int by_poll(pollfd* fds, nfds_t count, Timeout timeout, const sigset_t* mask, Real real) {
  if (is_undisturbed() || !is_valid(timeout))
    return real();
  const Deadline deadline = after(timeout);
  const auto result = ask_kernel(
      deadline, [&](bool is_long) { return is_long ? poll_for_a_while(fds, count, deadline, mask) : real(); });
  if (result)
    return *result;
  if (count > INT_MAX / sizeof *fds || !is_readable(fds, count * sizeof *fds))
    return real();
  return poll_and_progress(fds, count, deadline, mask);
}

// epoll_wait() and its relatives.
template <typename Timeout, typename Real>
int by_epoll(int epfd, epoll_event* events, int size, Timeout timeout, const sigset_t* mask, Real real) {
  record_seen_wait();
  if ((is_undisturbed() && epoll::has_no_cookies()) || !is_valid(timeout))
    return real();
  const Deadline deadline = after(timeout);
  if (!epoll::any_masked() && !outlasts_connect(deadline)) {
    const epoll::Sift sift;
    const int count = real();
    if (count <= 0)
      return count;
    if (const int kept = sift(epfd, events, count))
      return kept;
  }
  return epoll::wait(epfd, events, size, deadline, mask);
}

// select() and pselect(): the same, if there is room for a copy of the sets, which every wait changes.
template <typename Real>
std::optional<int> ask_kernel(const FdSets& sets, Deadline deadline, const sigset_t* mask, Real real) {
  if (sets.count > FD_SETSIZE)
    return std::nullopt;
  const CopiedSets asked{sets};
  const auto result = ask_kernel(deadline, [&](bool is_long) {
    asked.copy_to(sets);
    return is_long ? select_for_a_while(sets, deadline, mask) : real();
  });
  if (!result)
    asked.copy_to(sets);
  return result;
}

template <typename Timeval> Deadline after_timeval(const Timeval* timeout) {
  return timeout ? Deadline::after(int64_t{timeout->tv_sec} * 1000 + (timeout->tv_usec + 999) / 1000)
                 : Deadline::never();
}

// select(), which on Linux stores the time that is left in *timeout.
template <typename Timeval, typename Real> int by_select(const FdSets& given, Timeval* timeout, Real real) {
  if (is_undisturbed())
    return real();
  const FdSets sets = as_kernel_reads(given);
  if (is_rejected(sets, timeout) || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
    return real();
  const Deadline deadline = after_timeval(timeout);
  auto result = ask_kernel(sets, deadline, nullptr, real);
  if (result && !outlasts_connect(deadline))
    return *result;
  if (!result)
    result = select_and_progress(sets, deadline, nullptr);
  if (timeout) {
    const int left = deadline.left();
    *timeout = {left / 1000, left % 1000 * 1000};
  }
  return *result;
}

template <typename Timespec, typename Real>
int by_pselect(const FdSets& given, const Timespec* timeout, const sigset_t* mask, Real real) {
  if (is_undisturbed())
    return real();
  const FdSets sets = as_kernel_reads(given);
  if (is_rejected(sets, timeout) || !is_valid(timeout))
    return real();
  const Deadline deadline = after(timeout);
  const auto result = ask_kernel(sets, deadline, mask, real);
  return result ? *result : select_and_progress(sets, deadline, mask);
}

} // namespace socksify::wait
