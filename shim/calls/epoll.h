// SPDX-License-Identifier: MIT
// epoll sets during a CONNECT: handshake events drive the handshake and are hidden from the program.
#pragma once
#include "kernel/deadline.h"
#include "sockets/epoll/registrations.h"
#include <csignal>
#include <sys/epoll.h>

namespace socksify::epoll {

// epoll_ctl().
int control(int epfd, int operation, int fd, epoll_event* event);

// epoll_pwait(); a null mask leaves the signal mask alone.
int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask);

// Removes the events of handshakes, which take their next steps, from those that the kernel reported. Made before the
// kernel is asked, because a handshake may end before its event is looked at.
class Sift {
public:
  // Returns how many events are left.
  int operator()(int epfd, epoll_event* events, int count) const;

  // True if a set may have reported, or been readable for, an event that is not the program's.
  bool is_needed() const { return m_any_masked || any_masked() || m_times_unmasked != times_unmasked(); }

private:
  bool is_ready(int epfd, const epoll_event& event) const;

  const bool m_any_masked = any_masked();
  const uint32_t m_times_unmasked = times_unmasked();
};

// A set is readable when it has events, which may not be the program's. True if it still is after a step of every
// handshake.
bool is_ready_after_handshakes(int fd, short events);

} // namespace socksify::epoll
