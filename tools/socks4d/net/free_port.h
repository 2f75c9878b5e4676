// SPDX-License-Identifier: MIT
// Binds a socket to a free port, quickly even when most ports are taken.
#pragma once
#include <cstdint>

namespace socks4d {

// Like bind(2) to port 0 of `ip`: 0, or -1 and errno.
int bind_to_free_port(int fd, uint32_t ip);

} // namespace socks4d
