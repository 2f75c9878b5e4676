// SPDX-License-Identifier: MIT
// Masking: during a CONNECT the kernel holds the handshake's events and a cookie in place of the program's events and
// data word.
#pragma once
#include "sockets/epoll/registrations.h"

namespace socksify::epoll {

// Makes the socket's registrations wait for these poll() events of the handshake. `known_fd`: a number that the caller
// has just seen to be the socket's, or -1.
void mask(Identity socket, short events, int known_fd);

// Gives the socket's registrations back to the program.
void unmask(Identity socket, int known_fd);

// The same for one registration.
void mask_one(uint64_t key, short events, int known_fd);
void unmask_one(uint64_t key, int known_fd);

// The socket listens from now on, by a BIND, or no longer does.
void set_listener(Identity socket, bool is_listener);

// The registration whose cookie an event of this set carries, if it is known.
std::optional<Registration> registration_for(int epfd, const epoll_event& event);

// What the kernel should hold now.
epoll_event event_of(uint64_t key, const Registration& registration);

} // namespace socksify::epoll
