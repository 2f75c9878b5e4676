// SPDX-License-Identifier: MIT
// epoll sets while a CONNECT is on its way: an event of a handshake's is a call to go on with it, and no news for the
// program.
#pragma once
#include "kernel/deadline.h"
#include <csignal>
#include <sys/epoll.h>

namespace socksify::epoll {

// epoll_ctl().
int control(int epfd, int operation, int fd, epoll_event* event);

// epoll_pwait(); a null mask leaves the signal mask alone.
int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask);

// Takes the events of handshakes, which go on thereby, out of what the kernel has said. Returns how many are left.
int sift(int epfd, epoll_event* events, int count);

// A set is readable when it has events. True if this one may have some that are not the program's.
bool holds_handshakes(int epfd);
// Whether it is ready still, in the way that is asked for, when all handshakes have gone on.
bool is_ready_after_handshakes(int fd, short events);

} // namespace socksify::epoll
