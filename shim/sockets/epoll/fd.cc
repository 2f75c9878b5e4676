// SPDX-License-Identifier: MIT
#include "sockets/epoll/fd.h"
#include <fcntl.h>
#include <sys/single_threaded.h>

namespace socksify::epoll {

OldNumber::OldNumber(sockets::Identity socket, int number, int known_fd)
    : m_number(number), m_is_there(number == known_fd || sockets::identity(number) == socket) {
  const int alive = m_is_there ? -1 : sockets::find_open_fd(socket, -1);
  if (alive < 0)
    return;
  m_socket = Fd{fcntl(alive, F_DUPFD_CLOEXEC, m_number)};
  if (m_socket && m_socket.get() != m_number && __libc_single_threaded)
    exchange();
  m_is_there = m_other_file || (m_socket && m_socket.get() == m_number);
}

OldNumber::~OldNumber() {
  if (!m_other_file)
    return;
  dup3(m_other_file.get(), m_number, m_flags & FD_CLOEXEC ? O_CLOEXEC : 0);
  sigprocmask(SIG_SETMASK, &m_mask, nullptr);
}

void OldNumber::exchange() {
  m_other_file = Fd{fcntl(m_number, F_DUPFD_CLOEXEC, 0)};
  if (!m_other_file)
    return;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &m_mask);
  m_flags = fcntl(m_number, F_GETFD);
  dup3(m_socket.get(), m_number, O_CLOEXEC);
}

} // namespace socksify::epoll
