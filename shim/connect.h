// SPDX-License-Identifier: MIT
// CONNECT: what becomes of a connect() that goes through the SOCKS server, at once or while the program does
// other things.
#pragma once
#include "route.h"
#include "sockets.h"

namespace socksify {

// The way of a connect() with this address. What is no TCP socket, or connected already, is left to the
// kernel: direct.
Route route_of(int fd, const sockaddr* address, socklen_t length);

// 0 or an errno. EINPROGRESS and EINTR: the CONNECT is on its way, as the kernel's own connection would be.
[[nodiscard]] int connect_through(int fd, int family, Endpoint destination);

// connect() on a socket that has a CONNECT, on its way or over: 0 or the errno that the kernel gives then;
// nothing if the socket is free for a new one.
[[nodiscard]] std::optional<int> connect_again(int fd);

// What the socket is now. If its CONNECT is on its way, it is taken as far as it goes without waiting.
std::optional<Socket> settle(int fd);
// The same, for a socket that is remembered but of which no number is known for sure.
Socket settle_by(sockets::Identity key, const Socket& socket);

// For a call that needs a connection: 0 when no CONNECT of this socket is on its way, or not any more. Else
// EAGAIN when the socket does not block or `may_block` is false; EINTR and ETIMEDOUT from waiting.
[[nodiscard]] int await_connection(int fd, bool may_block);

// The error that waits for SO_ERROR, if it is ours: told once.
std::optional<int> take_error(int fd);

// The program takes the connection off its socket: a CONNECT on its way ends here.
void abandon(int fd);

// SO_RCVLOWAT is the handshake's while a CONNECT is on its way; true if it is and the program's value waits
// for its end.
bool set_low_water_mark_later(int fd, int bytes);

// Fails those CONNECTs whose time is over.
void expire();

// Called by waits that found no socket of theirs pending: now and then looks for those that were closed.
void note_miss();

} // namespace socksify
