// SPDX-License-Identifier: MIT
// poll() and select() during a CONNECT: the kernel is asked for the handshake's events, which drive the handshake, and
// the program is given only its own.
#pragma once
#include "kernel/deadline.h"
#include <csignal>
#include <poll.h>
#include <sys/select.h>

namespace socksify {

// ppoll(); a null mask leaves the signal mask alone.
int poll_and_progress(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask);

// The real ppoll(), which may end early with 0 so that the caller sees what other threads have started.
int poll_for_a_while(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask);

// What select() is given; each set may be null.
struct FdSets {
  int count;
  fd_set *readable, *writable, *exceptional;
};

// Without the part beyond the kernel's table of descriptors, which the kernel does not read. Many programs give the
// limit of descriptors as the count, whatever the size of their sets.
FdSets as_kernel_reads(const FdSets& sets);

// A copy of the part of the sets that counts. REQUIRES: 0 <= count <= FD_SETSIZE.
class CopiedSets {
public:
  explicit CopiedSets(const FdSets& sets);
  void copy_to(const FdSets& sets) const;

private:
  fd_set m_readable, m_writable, m_exceptional;
};

// The same for pselect(). REQUIRES: sets.count >= 0.
int select_and_progress(const FdSets& sets, Deadline deadline, const sigset_t* mask);
int select_for_a_while(const FdSets& sets, Deadline deadline, const sigset_t* mask);

} // namespace socksify
