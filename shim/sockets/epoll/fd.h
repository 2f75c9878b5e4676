// SPDX-License-Identifier: MIT
// The kernel knows a member of an epoll set by the number that it was registered by. The program may have closed that
// number while the socket lives on in a dup, and the number may be another file's by now. To change the registration,
// the socket then gets its old number back for a moment; if another file has it, only in a single-threaded process,
// where nobody can see the exchange.
#pragma once
#include "base/fd.h"
#include "sockets/identity.h"
#include <csignal>

namespace socksify::epoll {

class OldNumber {
public:
  OldNumber(sockets::Identity socket, int number, int known_fd); // known_fd: verified to be the socket's, or -1
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
  Fd m_socket, m_other_file; // dups, while the number is lent
  sigset_t m_mask{};
};

} // namespace socksify::epoll
