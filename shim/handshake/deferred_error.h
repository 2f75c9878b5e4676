// SPDX-License-Identifier: MIT
// Why a CONNECT on its way has failed. The socket has the state of one that was refused; where that is not the reason,
// it is for us to say: once, as the kernel does, to whoever asks for SO_ERROR, reads or writes first.
#pragma once
#include "sockets/registry.h"
#include <atomic>

namespace socksify::failure {

// About how many reasons the program has not been told yet. While there are any, whoever reads or writes has to ask.
inline constinit std::atomic<int> untold{0};
inline bool any() { return untold.load(std::memory_order_relaxed) > 0; }

// It has just failed, and that is remembered.
void note(const Socket& socket);

// Its errno, and from then on 0. Nothing for a socket whose CONNECT has not failed.
std::optional<int> take(int fd);
// The same for one that is forgotten thereby.
int take_last(int fd, sockets::Identity key, const Socket& socket);

// What a call that moves data fails with: its errno, or 0.
int take_for_data(int fd);

} // namespace socksify::failure
