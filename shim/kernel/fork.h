// SPDX-License-Identifier: MIT
// What fork() means for what we remember: a child shares the sockets of its parent, and the CONNECTs on their way.
#pragma once
#include <atomic>
#include <cstdint>

namespace socksify::forks {

// At load, and before there is anything to share.
void watch();

// What one part of the library does around fork(). The one list of these is all that has to be mended in a child: every
// CookieMap adds itself at its first entry.
struct Observer {
  using Call = void (*)(Observer&);

  constexpr Observer(Call before_fork, Call in_the_child) : before(before_fork), in_child(in_the_child) {}

  const Call before;   // in the parent; null: nothing
  const Call in_child; // null: nothing
  Observer* next = nullptr;
  std::atomic<bool> is_added{false};
};

// Adds it for good; once, however often this is called.
void add(Observer& observer);

// Changes before each fork of this process, and after it in the parent and in the child: what carries another count
// than this may be known to another process. So may what a thread begins while another one forks.
uint32_t count();

// From the first call on, so that a process whose children have nothing of ours does not pay for them.
void start_tracking();
// True if there has been a fork since: a child, or a parent, may share what we have.
bool may_share();

// A socket of another process has come by exec: it may be shared from the beginning.
void note_inherited();

// A look-up by the C library, which takes locks of its own: in the child of a fork() in the middle of it nobody would
// release them, and the child's first look-up, in a connect() that may be called there, would wait for ever (glibc
// minds some at fork(), but not nss_actions_lock). While one lives, a fork() by another thread waits, though not for
// ever.
class LookUp {
public:
  LookUp();
  ~LookUp();
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

private:
  bool m_is_noted;
};

// getpid() is a system call.
int own_pid();

} // namespace socksify::forks
