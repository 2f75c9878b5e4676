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

// pselect(). REQUIRES: count >= 0.
int select_and_progress(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, Deadline deadline,
                        const sigset_t* mask);

} // namespace socksify
