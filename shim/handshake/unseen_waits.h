// SPDX-License-Identifier: MIT
// Programs whose waits no hook sees. Bun, for one, calls libc's connect() and epoll_ctl(), but enters the kernel by
// machine code of its own to wait.
#pragma once
#include <atomic>

namespace socksify {

enum class Waits : unsigned char { unknown, seen, unseen };
extern std::atomic<Waits> waits_of_program;

// The program has waited by libc's epoll_wait(), as nearly all event loops do before their first connect(). Its code,
// which may have many megabytes, need not be looked at.
inline void record_seen_wait() {
  if (waits_of_program.load(std::memory_order_relaxed) == Waits::unknown)
    waits_of_program.store(Waits::seen, std::memory_order_relaxed);
}

// True if this program waits by epoll without libc. Nothing then drives a CONNECT while it waits, and it would see the
// handshake's events, so its connect() has to wait until the handshake ends. Looks at the program's code the first
// time, unless it has already been seen to wait.
bool has_unseen_waits();

} // namespace socksify
