// SPDX-License-Identifier: MIT
// Programs whose waits no hook sees. Bun, for one, calls libc's connect() and epoll_ctl(), but enters the kernel by
// machine code of its own to wait.
#pragma once

namespace socksify {

// True if this program waits by epoll without libc. Nothing then drives a CONNECT while it waits, and it would see the
// handshake's events: so a connect() of its has to wait for the end. Looks at its code the first time.
bool has_unseen_waits();

} // namespace socksify
