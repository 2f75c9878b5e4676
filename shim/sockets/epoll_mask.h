// SPDX-License-Identifier: MIT
// What the kernel holds of a registration: the program's own events and data word, or, while a CONNECT is on its way,
// those of the handshake.
#pragma once
#include "sockets/epoll_registrations.h"

namespace socksify::epoll {

// The socket's registrations wait for poll() `events` of the handshake instead of the program's events. `known_fd`: a
// number that the caller has just seen to be the socket's, or -1.
void mask(Identity socket, short events, int known_fd);

// The socket's registrations are the program's own again.
void unmask(Identity socket, int known_fd);

// One registration only.
void mask_one(uint64_t key, short events, int known_fd);
void unmask_one(uint64_t key, int known_fd);

// The socket listens from now on, by a BIND; or does not any more.
void listens(Identity socket, bool is_listener);

// What the kernel is to hold; and when no CONNECT is on its way.
epoll_event event_of(uint64_t key, const Registration& registration);
epoll_event own_event(const Registration& registration);

} // namespace socksify::epoll
