// SPDX-License-Identifier: MIT
// CONNECT: what becomes of a connect() that goes through the SOCKS server.
#pragma once
#include "address.h"

namespace socksify {

// 0 or an errno. The socket is the program's own, before and after.
[[nodiscard]] int connect_through(int fd, int family, Endpoint destination);

} // namespace socksify
