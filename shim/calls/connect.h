// SPDX-License-Identifier: MIT
// CONNECT: what becomes of a connect().
#pragma once
#include <optional>
#include <sys/socket.h>

namespace socksify {

// What connect() to this address comes to: 0 or an errno; nothing: it is the kernel's, by the real one. EINPROGRESS and
// EINTR: the CONNECT is on its way, as a connection of the kernel's own would be. `at_once`: as if the socket did not
// block.
std::optional<int> connect_to(int fd, const sockaddr* address, socklen_t length, bool at_once);

} // namespace socksify
