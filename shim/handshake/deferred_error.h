// SPDX-License-Identifier: MIT
// Why a CONNECT failed after connect() had returned. The socket is then in the state of a refused one, and the
// kernel reports ECONNREFUSED. Any other errno is reported by the library: once, as the kernel does, to the first call
// that asks for SO_ERROR, reads or writes.
#pragma once
#include "sockets/registry.h"

namespace socksify::deferred_error {

// Counts an error that was just stored in the registry.
void record(const Socket& socket);

// The errno of a failed CONNECT the first time, and 0 from then on. REQUIRES: socket.is<Failed>().
int consume(int fd, sockets::Identity key, const Socket& socket);
// The same, and forgets the socket.
int consume_and_forget(int fd, sockets::Identity key, const Socket& socket);

// The errno that a read or write fails with, or 0.
int consume_for_io(int fd);

} // namespace socksify::deferred_error
