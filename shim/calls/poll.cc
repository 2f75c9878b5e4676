// SPDX-License-Identifier: MIT
#include "calls/poll.h"
#include "base/fd.h"
#include "calls/epoll.h"
#include "handshake/pending.h"
#include "handshake/progress.h"
#include "kernel/mapping.h"
#include "kernel/real.h"
#include "sockets/epoll_registrations.h"
#include "sockets/readiness.h"
#include <algorithm>
#include <cerrno>
#include <utility>

namespace socksify {
namespace {

// The library's own pollfds: up to 64 on the stack, which may be small, and more in a mapping.
class PollFds {
public:
  explicit PollFds(size_t count) : m_memory(count <= std::size(m_few) ? m_few : nullptr, count * sizeof(pollfd)) {}
  pollfd* get() { return static_cast<pollfd*>(m_memory.get()); }

private:
  pollfd m_few[64];
  Scratch m_memory;
};

// Among the events of a question: it is a handshake's. The kernel has no such event.
constexpr short of_handshake = 0x1000; // POLLREMOVE

// What the kernel is to be asked for a descriptor: the program's question, or the handshake's.
struct Question {
  pollfd fd;
  bool is_pending;
};

Question question_for(const pollfd& asked) {
  Question question{{asked.fd, asked.events, 0}, false};
  auto socket = asked.fd >= 0 ? sockets::find_fd(asked.fd) : std::nullopt;
  if (is_pending(socket) && pending::at(socket->slot).is_over)
    socket = progress(asked.fd); // another process has ended it
  if (is_pending(socket)) {
    question.fd.events = static_cast<short>(pending::at(socket->slot).events | of_handshake);
    question.is_pending = true;
  } else if (readiness::is_listener(socket)) {
    question.fd.events = static_cast<short>(readiness::possible(static_cast<uint16_t>(asked.events)));
    if (!(asked.events & readiness::call_events))
      question.fd.fd = -1; // its hang-up would be no news again and again
  } else if (readiness::is_only_bound(socket)) {
    question.fd.events = POLLOUT; // at once: there is an answer already
  }
  return question;
}

// One round of waiting.
class Round {
public:
  Round(pollfd* fds, nfds_t count, pollfd* ours) : m_fds(fds), m_count(count), m_ours(ours) {
    for (nfds_t i = 0; i < count; ++i) {
      const Question question = question_for(fds[i]);
      m_ours[i] = question.fd;
      m_any_pending |= question.is_pending;
    }
  }
  bool any_pending() const { return m_any_pending; }

  int ask(int timeout, const sigset_t* mask) {
    const timespec limit{timeout / 1000, timeout % 1000 * 1'000'000L};
    return REAL(ppoll)(m_ours, m_count, timeout < 0 ? nullptr : &limit, mask);
  }

  // Takes handshakes further and tells the program of all else. Returns for how many descriptors there is
  // something to tell.
  int tell() {
    int told = 0;
    for (nfds_t i = 0; i < m_count; ++i) {
      m_fds[i].revents = answer(m_fds[i], m_ours[i]);
      told += m_fds[i].revents != 0;
    }
    return told;
  }

private:
  // What is true for the program.
  static short answer(const pollfd& asked, const pollfd& answered) {
    if (!answered.revents)
      return 0;
    if (epoll::any_masked() && !sockets::identity(answered.fd) && epoll::holds_handshakes(answered.fd))
      return epoll::is_ready_after_handshakes(answered.fd, asked.events) ? answered.revents : short{0};
    const auto before = answered.fd >= 0 ? sockets::find_fd(answered.fd) : std::nullopt;
    if (readiness::is_listener(before))
      return readiness::reported(asked.events, answered.revents);
    if (readiness::is_only_bound(before))
      return readiness::reported_when_bound(asked.events);
    if (is_pending(before) && is_pending(progress(answered.fd)))
      return 0;
    return answered.events == asked.events ? answered.revents : answer_now(asked);
  }

  // The handshake has ended: now, or since the question (the same socket may be in the set by two numbers).
  static short answer_now(pollfd asked) { return REAL(poll)(&asked, 1, 0) > 0 ? asked.revents : short{0}; }

  pollfd* m_fds;
  nfds_t m_count;
  pollfd* m_ours;
  bool m_any_pending = false;
};

// As the kernel translates between select() and its own events.
constexpr short readable_events = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr short writable_events = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
constexpr short exceptional_events = POLLPRI;

// The question of a select(), and the answer to it.
struct Sets {
  fd_set *readable, *writable, *exceptional;

  short asked(int fd) const {
    short events = 0;
    events |= is_in(readable, fd) ? readable_events : short{0};
    events |= is_in(writable, fd) ? writable_events : short{0};
    events |= is_in(exceptional, fd) ? exceptional_events : short{0};
    return events;
  }

  void clear(int count) const {
    for (fd_set* set : {readable, writable, exceptional})
      for (int fd = 0; set && fd < count; ++fd)
        FD_CLR(fd, set);
  }

  // Returns in how many sets it is.
  int tell(const pollfd& answer) const {
    const auto [fd, events, revents] = answer;
    return set_if(readable, fd, (events & POLLIN) && (revents & readable_events)) +
           set_if(writable, fd, (events & POLLOUT) && (revents & writable_events)) +
           set_if(exceptional, fd, (events & POLLPRI) && (revents & exceptional_events));
  }

private:
  static bool is_in(const fd_set* set, int fd) { return set && FD_ISSET(fd, set); }
  static int set_if(fd_set* set, int fd, bool is_true) {
    if (set && is_true)
      FD_SET(fd, set);
    return is_true;
  }
};

} // namespace

int poll_and_progress(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask) {
  PollFds own{count};
  if (!own.get()) {
    errno = ENOMEM;
    return -1;
  }
  for (bool was_over = false;;) {
    Round round{fds, count, own.get()};
    const int program = deadline.left();
    const Deadline handshakes =
        round.any_pending() ? std::min(pending::next_deadline(), pending::next_look()) : Deadline::never();
    const int ready = round.ask(std::min(deadline, handshakes).left(), mask);
    if (ready < 0)
      return ready;
    const int told = round.tell();
    // A handshake that has just ended shows by one more look.
    if (told > 0 || (program == 0 && (ready == 0 || std::exchange(was_over, true))))
      return told;
    if (pending::next_deadline().left() == 0)
      progress_all();
  }
}

int select_and_progress(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, Deadline deadline,
                        const sigset_t* mask) {
  PollFds own{static_cast<size_t>(count)};
  pollfd* fds = own.get();
  if (!fds) {
    errno = ENOMEM;
    return -1;
  }
  const Sets sets{readable, writable, exceptional};
  nfds_t used = 0;
  for (int fd = 0; fd < count; ++fd)
    if (const short events = sets.asked(fd))
      fds[used++] = {fd, events, 0};
  const int ready = poll_and_progress(fds, used, deadline, mask);
  if (ready < 0)
    return ready;
  if (std::any_of(fds, fds + used, [](const pollfd& fd) { return fd.revents & POLLNVAL; })) {
    errno = EBADF;
    return -1;
  }
  sets.clear(count); // what was asked is in fds[].events
  int told = 0;
  for (nfds_t i = 0; i < used; ++i)
    told += sets.tell(fds[i]);
  return told;
}

} // namespace socksify
