// SPDX-License-Identifier: MIT
// The kernel knows a member of an epoll set by its number. That may have been closed while the socket lives on in a
// dup, and be another file's by now: then the socket gets its old number back for a moment. Where it is another file's,
// only if no other thread could see it.
#pragma once
#include "base/fd.h"
#include "sockets/registry.h"
#include <csignal>

namespace socksify::epoll {

class OldNumber {
public:
  OldNumber(sockets::Identity socket, int number, int known_fd); // known_fd: the socket's for sure, or -1
  ~OldNumber();
  OldNumber(const OldNumber&) = delete;
  OldNumber& operator=(const OldNumber&) = delete;

  // True if the number is the socket's now.
  bool is_there() const { return m_is_there; }

private:
  void exchange();

  const int m_number;
  bool m_is_there;
  int m_flags = 0;
  Fd m_lent, m_kept; // the socket; the other file
  sigset_t m_mask{};
};

} // namespace socksify::epoll
