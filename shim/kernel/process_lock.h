// SPDX-License-Identifier: MIT
// A try-lock in memory that several processes share. If a process is killed while it holds the lock, the next caller
// takes it over.
#pragma once
#include "base/fd.h"
#include "kernel/fork.h"
#include <atomic>
#include <csignal>

namespace socksify {

class ProcessLock {
public:
  bool try_lock() {
    int holder = 0;
    return take_from(holder) || (is_dead(holder) && take_from(holder));
  }
  void unlock() { m_holder.store(0, std::memory_order_release); }

private:
  bool take_from(int& holder) {
    return m_holder.compare_exchange_strong(holder, forks::own_pid(), std::memory_order_acquire);
  }
  static bool is_dead(int pid) {
    KeepErrno keep;
    return pid != forks::own_pid() && kill(pid, 0) != 0 && errno == ESRCH;
  }

  std::atomic<int> m_holder{0}; // a process; 0: none
};

} // namespace socksify
