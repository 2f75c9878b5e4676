// SPDX-License-Identifier: MIT
// epoll sets during a CONNECT: handshake events drive the handshake and are hidden from the program.
#pragma once
#include "kernel/deadline.h"
#include <csignal>
#include <sys/epoll.h>

namespace socksify::epoll {

// epoll_ctl().
int control(int epfd, int operation, int fd, epoll_event* event);

// epoll_pwait(); a null mask leaves the signal mask alone.
int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask);

// Removes the events of handshakes, which take their next steps, from those that the kernel reported. Returns how many
// are left.
int sift(int epfd, epoll_event* events, int count);

// A set is readable when it has events. True if this one may have events that are not the program's.
bool holds_handshakes(int epfd);
// True if the set still has these events after a step of every handshake.
bool is_ready_after_handshakes(int fd, short events);

} // namespace socksify::epoll
