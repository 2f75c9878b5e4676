// SPDX-License-Identifier: MIT
// poll() and select() while a CONNECT is on its way: the kernel is asked for what the handshake needs, which
// goes on when that comes, and the program is told what is true for the program.
#pragma once
#include "kernel/deadline.h"
#include <csignal>
#include <poll.h>
#include <sys/select.h>

namespace socksify {

// ppoll(); a null mask leaves the signal mask alone.
int poll_and_progress(pollfd* fds, nfds_t count, Deadline deadline, const sigset_t* mask);

// pselect().
int select_and_progress(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, Deadline deadline,
                        const sigset_t* mask);

} // namespace socksify
