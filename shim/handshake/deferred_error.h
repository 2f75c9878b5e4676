// SPDX-License-Identifier: MIT
// Why a CONNECT on its way has failed. The socket has the state of one that was refused; where that is not the reason,
// it is for us to say: once, as the kernel does, to whoever asks for SO_ERROR, reads or writes first.
#pragma once
#include "sockets/registry.h"
#include <atomic>

namespace socksify::deferred_error {

// About how many reasons the program has not been told yet. While there are any, whoever reads or writes has to ask.
inline constinit std::atomic<int> unreported{0};
inline bool any() { return unreported.load(std::memory_order_relaxed) > 0; }

// It has just failed, and that is remembered.
void record(const Socket& socket);

// The errno of a failed CONNECT the first time, 0 from then on. REQUIRES: socket.state == State::failed.
int consume(int fd, sockets::Identity key, Socket socket);
// The same, and forgets the socket.
int consume_last(int fd, sockets::Identity key, const Socket& socket);

// What a call that moves data fails with: its errno, or 0.
int consume_for_io(int fd);

} // namespace socksify::deferred_error
