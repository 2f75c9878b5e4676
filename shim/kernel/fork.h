// SPDX-License-Identifier: MIT
// What fork() means for the library's state: a child shares its parent's sockets and the CONNECTs in progress, and
// other threads may have been half-way through a change.
#pragma once
#include "kernel/uninterrupted.h"
#include <atomic>
#include <cstdint>

namespace socksify::forks {

// Installs the fork handlers. Called at load, before there is any state.
void watch();

// What one part of the library does around a fork. All parts whose state has to be mended in a child are in one list;
// every CookieMap adds itself at its first entry.
struct Observer {
  using Call = void (*)(Observer&);

  constexpr Observer(Call before_fork, Call in_the_child) : before(before_fork), in_child(in_the_child) {}

  const Call before;   // in the parent; null: nothing
  const Call in_child; // null: nothing
  std::atomic<Observer*> next{nullptr};
  std::atomic<bool> is_linked{false};
};

// Links the observer for good; further calls do nothing. When a call returns, the observer is linked: from then on its
// state may be half-written at a fork.
void add_observer(Observer& observer);

// Changes before each fork of this process, and after it in parent and child. Something that began under another count
// may be known to another process, and so may something that a thread begins while another one forks.
uint32_t count();

// may_share() counts forks from the first call on: a program whose children inherit nothing of ours pays nothing.
void start_tracking();
// True if there has been a fork since: a child or a parent may share our sockets.
bool may_share();

// A socket was inherited through exec: it may be shared from the beginning.
void record_inherited();

// Held around look-ups by the C library that are the library's own. They take libc's locks; in the child of a fork() in
// the middle of one, nobody would release them, and the child's first look-up would hang. (glibc resets some locks at
// fork, but not nss_actions_lock.) A fork() by another thread waits while a guard exists, for at most a second. A
// look-up waits for other hosts, so it may be left.
class LookupGuard {
public:
  LookupGuard();
  ~LookupGuard();
  LookupGuard(const LookupGuard&) = delete;
  LookupGuard& operator=(const LookupGuard&) = delete;

private:
  const Interruptible m_interruptible;
  bool m_has_begun = false;
  uint32_t m_era = 0; // see begin_lookup()
  int m_cancel_type = PTHREAD_CANCEL_DEFERRED;
  const OnLeaving m_leaving;

  void end();
};

// True if this thread is in such a look-up. It cannot begin another: the C library may hold its locks.
bool is_looking_up();

// True if the call comes from a module of the name service switch that is asked in such a look-up, and connects to a
// server of its own. A signal handler that interrupts the look-up is told by its signal, which is blocked meanwhile.
// (With SA_NODEFER it is not, so the handler is taken for the module; a module that blocks signals itself is taken for
// the program.)
bool is_module_calling();

// getpid() without the system call. In a child of vfork(), which shares the memory of its parent, that of the parent.
int own_pid();

} // namespace socksify::forks
