// SPDX-License-Identifier: MIT
// Signals, which the loop reads from a descriptor. All threads inherit the signal mask.
#pragma once
#include "socks4d/base.h"

namespace socks4d {

// SIGHUP and SIGUSR1 would kill a server that is still starting: keeps them pending until it can obey.
void postpone_signals();

// Ignores the signals that failing writes send.
void ignore_write_signals();

// A descriptor that is readable after SIGTERM, SIGINT, SIGHUP or SIGUSR1.
Fd open_signals();
// The next signal; 0 if there is none.
int next_signal(int fd);

} // namespace socks4d
