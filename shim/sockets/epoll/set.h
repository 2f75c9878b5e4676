// SPDX-License-Identifier: MIT
// What only the kernel knows of an epoll set.
#pragma once
#include "sockets/identity.h"
#include <cstdint>

namespace socksify::epoll {

bool is_set(int fd);

// EPOLLONESHOT: true if `fd` is in the set with it among its `events`, and has reported an event since it was armed.
bool is_spent(int epfd, int fd, uint32_t events);

// True if `fd` is in the set with this data word.
bool is_member(int epfd, int fd, uint64_t data);

// A number of the set that holds this data word, or -1. For a set whose known number was closed.
int find_set_with(uint64_t data);

// Remembers the registrations that a connected socket has, because it may get a CONNECT again.
void adopt_registrations(sockets::Identity socket);

} // namespace socksify::epoll
