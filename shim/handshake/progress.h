// SPDX-License-Identifier: MIT
// CONNECTs on their way: each goes on a step whenever something asks for its socket, and ends for all at once.
#pragma once
#include "handshake/exchange.h"
#include "sockets/registry.h"

namespace socksify {

// Leaves the exchange of a socket to those who wait for it. 0 or an errno.
[[nodiscard]] int start_pending(sockets::Identity key, Socket socket, const Exchange& exchange);

// What the socket is now. If its CONNECT is on its way, it is taken as far as it goes without waiting.
std::optional<Socket> progress(int fd);
// The same for one that is remembered: nothing is done where its number is not known for sure.
Socket progress_known(sockets::Identity key, const Socket& socket);
// The same for every one that there is; those whose time is over fail.
void progress_all();
// The same for those that another process has ended.
void progress_ended();

// How long a blocking call may take: sockopts::send_deadline or sockopts::receive_deadline.
using Limit = Deadline (*)(int fd);

// For a call that needs a connection: 0 when no CONNECT of this socket is on its way, or not any more. Else EAGAIN when
// the socket does not block, `may_block` is false or the limit is over; EINTR.
[[nodiscard]] int await_connection(int fd, bool may_block, Limit limit);
// The same for one that is on its way, and blocks.
[[nodiscard]] int await_end(sockets::Identity key, int fd, Deadline limit);

// The program takes the connection off its socket, which is for the caller to do next: a CONNECT on its way ends here.
void abandon(int fd);

// True if the socket's CONNECT is on its way, or it waits for a call. SO_RCVLOWAT is ours then, and the program's value
// waits for the end of that.
bool set_low_water_mark_later(int fd, int bytes);

} // namespace socksify
