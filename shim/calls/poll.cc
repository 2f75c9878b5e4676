// SPDX-License-Identifier: MIT
#include "calls/poll.h"
#include "base/fd.h"
#include "calls/epoll.h"
#include "handshake/progress.h"
#include "kernel/call.h"
#include "kernel/mapping.h"
#include "kernel/real.h"
#include "kernel/uninterrupted.h"
#include "sockets/epoll/set.h"
#include "sockets/open_fds.h"
#include "sockets/readiness.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/single_threaded.h>
#include <utility>

namespace socksify {
namespace {

// The library's own pollfds: up to 64 on the stack, which may be small, and more in a mapping.
class PollFds {
public:
  explicit PollFds(size_t count)
      : m_memory(count <= std::size(m_few) ? m_few : nullptr, count * sizeof(pollfd)),
        m_leaving([](void* memory) { static_cast<Scratch*>(memory)->release(); }, &m_memory) {}
  pollfd* get() { return static_cast<pollfd*>(m_memory.get()); }

private:
  pollfd m_few[64];
  Scratch m_memory;
  const OnLeaving m_leaving;
};

// Marks the events of a handshake among those that the kernel is asked for. The kernel has no event with this number.
constexpr short of_handshake = 0x1000; // POLLREMOVE

// What to ask the kernel for a descriptor: what the program asked, or what the handshake waits for.
pollfd translate(const pollfd& asked, bool& any_pending, bool& any_listener) {
  pollfd ours{asked.fd, asked.events, 0};
  const auto socket = asked.fd >= 0 ? current(asked.fd) : std::nullopt;
  if (is_pending(socket)) {
    ours.events = static_cast<short>(handshake_events(socket) | of_handshake);
    any_pending = true;
  } else if (readiness::is_listener(socket)) {
    any_listener = true;
    ours.events = static_cast<short>(readiness::possible(static_cast<uint16_t>(asked.events)));
    if (!(asked.events & readiness::call_events))
      ours.fd = -1; // the kernel would report the server's hang-up again and again
  } else if (readiness::is_only_bound(socket)) {
    ours.events = POLLOUT; // returns at once: reported_when_bound() is known
  }
  return ours;
}

int poll_until(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask) {
  const int left = deadline.left();
  const timespec limit{left / 1000, left % 1000 * 1'000'000L};
  return REAL(ppoll)(fds, count, left < 0 ? nullptr : &limit, mask);
}

// The handshake has ended: just now, or earlier, because the same socket may be asked for by two numbers.
short answer_now(pollfd asked) { return REAL(poll)(&asked, 1, 0) > 0 ? asked.revents : short{0}; }

// The events that the program sees.
short answer(const pollfd& asked, const pollfd& answered, const epoll::Sift& sets) {
  if (!answered.revents)
    return 0;
  if (sets.is_needed() && !sockets::identity(answered.fd) && epoll::is_set(answered.fd))
    return epoll::is_ready_after_handshakes(answered.fd, asked.events) ? answered.revents : short{0};
  const auto before = answered.fd >= 0 ? sockets::lookup_fd(answered.fd) : std::nullopt;
  if (readiness::is_listener(before))
    return readiness::reported(asked.events, answered.revents);
  if (readiness::is_only_bound(before))
    return readiness::reported_when_bound(asked.events);
  if (is_pending(before) && is_pending(progress(answered.fd)))
    return 0;
  return answered.events == asked.events ? answered.revents : answer_now(asked);
}

// The kernel's own translation between select() and poll() events.
constexpr short readable_events = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr short writable_events = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
constexpr short exceptional_events = POLLPRI;

// How long a call may come after what the caller then says on its primary connection.
constexpr int overtaking_limit = 100; // milliseconds

// True if a connection to `primary` has something to read.
bool can_read_from(const Endpoint& primary, const pollfd& reported) {
  if (!(reported.revents & readable_events))
    return false;
  const auto socket = sockets::lookup_fd(reported.fd);
  return socket && socket->is<Connected>() && socket->as<Connected>().peer == primary;
}

// One round of waiting.
class Round {
public:
  Round(pollfd* fds, nfds_t count, pollfd* ours) : m_fds(fds), m_count(count), m_ours(ours) {
    for (nfds_t i = 0; i < count; ++i)
      m_ours[i] = translate(fds[i], m_any_pending, m_any_listener);
  }

  // The real ppoll(), until the deadline or until a handshake needs a look.
  int ask(Deadline deadline, const sigset_t* mask) {
    return poll_until(m_ours, m_count, std::min(deadline, next_look()), mask);
  }

  // Progresses handshakes and gives the program all other events. Returns the number of descriptors with events.
  int report() {
    int reported = 0;
    for (nfds_t i = 0; i < m_count; ++i) {
      m_fds[i].revents = answer(m_fds[i], m_ours[i], m_sets);
      reported += m_fds[i].revents != 0;
    }
    return reported;
  }

  // A SOCKS server of several processes may pass on what its caller said after the call, "226 Transfer complete",
  // before the call itself. FTP clients that see a message and no call give up, so the call gets a moment to come, even
  // if the program does not want to wait. Returns how many more descriptors have events.
  int report_overtaken_calls(const sigset_t* mask) {
    if (!m_any_listener)
      return 0;
    const KeepErrno keep; // a signal may end the wait
    const Deadline limit = Deadline::after(overtaking_limit);
    int more = 0;
    for (nfds_t i = 0; i < m_count; ++i) {
      if (m_fds[i].revents || !is_overtaken(m_ours[i].fd))
        continue;
      poll_until(&m_ours[i], 1, limit, mask);
      m_fds[i].revents = answer(m_fds[i], m_ours[i], m_sets);
      more += m_fds[i].revents != 0;
    }
    return more;
  }

private:
  bool is_overtaken(int listener) const {
    const auto socket = listener >= 0 ? sockets::lookup_fd(listener) : std::nullopt;
    if (!readiness::is_listener(socket))
      return false;
    return std::any_of(m_fds, m_fds + m_count, [&primary = socket->as<AwaitingCall>().primary](const pollfd& reported) {
      return can_read_from(primary, reported);
    });
  }

  // An epoll set may hold a CONNECT that nobody else asks for.
  Deadline next_look() const {
    if (m_any_pending)
      return next_progress();
    return std::min(epoll::any_masked() ? next_progress_by_epoll() : Deadline::never(), other_threads());
  }
  static Deadline other_threads() { return __libc_single_threaded ? Deadline::never() : longest_sleep(); }

  pollfd* m_fds;
  nfds_t m_count;
  pollfd* m_ours;
  bool m_any_pending = false, m_any_listener = false;
  const epoll::Sift m_sets; // from before the wait
};

// The sets of a select(), for the question and for the answer.
struct Sets : FdSets {
  short asked(int fd) const {
    short events = 0;
    events |= is_in(readable, fd) ? readable_events : short{0};
    events |= is_in(writable, fd) ? writable_events : short{0};
    events |= is_in(exceptional, fd) ? exceptional_events : short{0};
    return events;
  }

  void clear() const {
    for (fd_set* set : {readable, writable, exceptional})
      for (int fd = 0; set && fd < count; ++fd)
        word_of(set, fd) &= ~bit_of(fd);
  }

  // Adds an answer. Returns the number of sets that it is in.
  int add(const pollfd& answer) const {
    const auto [fd, events, revents] = answer;
    return set_if(readable, fd, (events & POLLIN) && (revents & readable_events)) +
           set_if(writable, fd, (events & POLLOUT) && (revents & writable_events)) +
           set_if(exceptional, fd, (events & POLLPRI) && (revents & exceptional_events));
  }

private:
  // A program's sets may be larger than fd_set, for which _FORTIFY_SOURCE ends the program in FD_SET() and the like.
  static fd_mask& word_of(fd_set* set, int fd) { return static_cast<fd_mask*>(static_cast<void*>(set))[fd / NFDBITS]; }
  static fd_mask bit_of(int fd) { return static_cast<fd_mask>(1UL << (fd % NFDBITS)); }

  static bool is_in(fd_set* set, int fd) { return set && (word_of(set, fd) & bit_of(fd)); }
  static int set_if(fd_set* set, int fd, bool is_true) {
    if (set && is_true)
      word_of(set, fd) |= bit_of(fd);
    return is_true;
  }
};

void copy_set(int count, const fd_set* from, fd_set* to) {
  if (from && to)
    std::memcpy(to, from, (static_cast<size_t>(count) + NFDBITS - 1) / NFDBITS * sizeof(fd_mask));
}

// The pollfds for the sets. Returns how many.
nfds_t collect(const Sets& sets, pollfd* fds) {
  nfds_t used = 0;
  for (int fd = 0; fd < sets.count; ++fd)
    if (const short events = sets.asked(fd))
      fds[used++] = {fd, events, 0};
  return used;
}

// The result of select() for pollfds that were answered.
int distribute(const Sets& sets, const pollfd* fds, nfds_t used) {
  if (std::any_of(fds, fds + used, [](const pollfd& fd) { return fd.revents & POLLNVAL; }))
    return fail(EBADF);
  sets.clear(); // what was asked is in fds[].events
  int reported = 0;
  for (nfds_t i = 0; i < used; ++i)
    reported += sets.add(fds[i]);
  return reported;
}

} // namespace

int poll_and_progress(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask) {
  PollFds own{count};
  if (!own.get())
    return fail(ENOMEM);
  for (bool was_over = false;;) {
    progress_ended();
    Round round{fds, count, own.get()};
    const int left = deadline.left();
    const int ready = round.ask(deadline, mask);
    if (ready < 0)
      return ready;
    const int reported = round.report();
    if (reported > 0)
      return reported + round.report_overtaken_calls(mask);
    // A handshake that has just ended shows only when the kernel is asked once more.
    if (left == 0 && (ready == 0 || std::exchange(was_over, true)))
      return 0;
    progress_overdue();
  }
}

int poll_for_a_while(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask) {
  return poll_until(fds, count, std::min(deadline, longest_sleep()), mask);
}

FdSets as_kernel_reads(const FdSets& sets) {
  if (sets.count <= FD_SETSIZE)
    return sets;
  const KeepErrno keep;
  return {std::min(sets.count, end_of_fds()), sets.readable, sets.writable, sets.exceptional};
}

CopiedSets::CopiedSets(const FdSets& sets) {
  copy_set(sets.count, sets.readable, &m_readable);
  copy_set(sets.count, sets.writable, &m_writable);
  copy_set(sets.count, sets.exceptional, &m_exceptional);
}

void CopiedSets::copy_to(const FdSets& sets) const {
  copy_set(sets.count, &m_readable, sets.readable);
  copy_set(sets.count, &m_writable, sets.writable);
  copy_set(sets.count, &m_exceptional, sets.exceptional);
}

int select_and_progress(const FdSets& given, Deadline deadline, const sigset_t* mask) {
  PollFds own{static_cast<size_t>(given.count)};
  if (!own.get())
    return fail(ENOMEM);
  const Sets sets{given};
  const nfds_t used = collect(sets, own.get());
  const int ready = poll_and_progress(own.get(), used, deadline, mask);
  return ready < 0 ? ready : distribute(sets, own.get(), used);
}

int select_for_a_while(const FdSets& sets, Deadline deadline, const sigset_t* mask) {
  const int left = std::min(deadline, longest_sleep()).left();
  const timespec limit{left / 1000, left % 1000 * 1'000'000L};
  return REAL(pselect)(sets.count, sets.readable, sets.writable, sets.exceptional, &limit, mask);
}

} // namespace socksify
