// SPDX-License-Identifier: MIT
// The end of a CONNECT, in the process that ended it and in all that share the socket.
#pragma once
#include "handshake/pending.h"
#include "sockets/registry.h"

namespace socksify {

// The handshake has just ended. Called once, by the one process that holds the slot.
void finish_handshake(int fd, const Socket& socket, PendingConnect& slot);

// Makes the result known to this process. Of its threads, exactly one wins the transition and publishes. REQUIRES: the
// slot is locked; this unlocks it.
Socket publish(sockets::Identity key, int fd, const Socket& before, PendingConnect& slot);

// What the socket is while another thread or process has the slot, takes a step or has just ended the handshake.
Socket locked_elsewhere(sockets::Identity key, const Socket& socket, const PendingConnect& slot);

} // namespace socksify
