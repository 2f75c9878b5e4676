// SPDX-License-Identifier: MIT
// Progress of CONNECTs: each goes on whenever a call asks for its socket, and its end is published to all. This is the
// only way from the rest of the library to a CONNECT in progress.
#pragma once
#include "handshake/exchange.h"
#include "sockets/registry.h"

namespace socksify {

// Leaves the exchange of a socket to progress(). 0 or an errno. REQUIRES: socket.is<Pending>().
[[nodiscard]] int start_pending(sockets::Identity key, Socket socket, const Exchange& exchange);

// What the socket is now. Its CONNECT, if in progress, goes as far as it can without waiting.
std::optional<Socket> progress(int fd);
// The same for a socket from the registry; does nothing if no open number of it is found.
Socket progress_known(sockets::Identity key, const Socket& socket);
// The same for all sockets; CONNECTs whose time is over fail.
void progress_all();
// The same, if the time of any is over. True if it is.
bool progress_overdue();
// The same for the CONNECTs that another process has ended.
void progress_ended();

// What the socket is now, without a step of its CONNECT, unless another process has ended that.
std::optional<Socket> current(int fd);

// The poll() events that the socket's handshake waits for; 0 if no CONNECT is in progress.
short handshake_events(const std::optional<Socket>& socket);

// Until when a wait may last while CONNECTs are in progress, even if the kernel reports nothing.
Deadline next_progress();
// The same for a wait by epoll, which wakes every thread: only other processes can take a step unseen.
Deadline next_progress_by_epoll();

// Until when a wait may last while nothing is in progress: another thread may start a CONNECT meanwhile.
Deadline longest_sleep();

// The limit of a blocking call: sockopts::send_deadline or sockopts::receive_deadline.
using Limit = Deadline (*)(int fd);

// For a call that needs a connection. 0: no CONNECT of this socket is in progress, or no longer. EAGAIN: it still is,
// and the call must not wait, or its limit is over. EINTR.
[[nodiscard]] int await_connection(int fd, Mode mode, Limit limit);
// The same for a socket that blocks and has a CONNECT in progress.
[[nodiscard]] int await_end(sockets::Identity key, int fd, Deadline limit);

// Ends a CONNECT in progress and forgets the socket, whose connection the caller dissolves next.
void abandon(int fd);

// SO_RCVLOWAT is ours during a CONNECT, and while a BIND awaits its call: stores the program's value until the end of
// that. False: it is the program's.
bool defer_low_water_mark(int fd, int bytes);

} // namespace socksify
