// SPDX-License-Identifier: MIT
// The sockets of this process that the library remembers, by their identity.
#pragma once
#include "sockets/identity.h"
#include "sockets/socket.h"
#include "sockets/unfinished.h"

namespace socksify::sockets {

// True while nothing is remembered: no hook has to ask.
bool empty();

std::optional<Socket> lookup(Identity key);
std::optional<Socket> lookup_fd(int fd);

// The same, and records that the program uses this connection now, which makes it the most likely primary.
std::optional<Socket> lookup_used(Identity key);

// False if there is no memory for it.
[[nodiscard]] bool remember(Identity key, const Socket& socket);

// Replaces the entry if it is still in state `from`. True if this call did so: one of several threads wins.
bool transition(Identity key, State from, const Socket& socket);

void forget(Identity key);

using Visit = void (*)(Identity key, const Socket& socket);

void for_each_pending(Visit visit);

// Sets what is called for each pending socket that is forgotten because the program closed it.
void when_pending_closed(Visit visit);

// True if an open socket matches.
bool any_open(bool (*matches)(const Socket& socket));

// Forgets the pending sockets that the program has closed.
void forget_closed_pending();

// The primary connection for a bind() to `ip`: a live CONNECT of this process or its parent, preferably one with the
// local address `ip`, else the one used last.
std::optional<Socket> primary_for(uint32_t ip);

// True if `ip` is the local address of a live CONNECT, as reported to the program.
bool is_reported(uint32_t ip);

} // namespace socksify::sockets
