// SPDX-License-Identifier: MIT
// Moves a socket's epoll registrations to the socket that replaces it on the same descriptor.
#pragma once
#include "sockets/epoll/registrations.h"

namespace socksify::epoll {

// The constructor removes the registrations of the descriptor; finish() adds them to the socket that is there by then.
class Move {
public:
  explicit Move(int fd);
  void finish();

private:
  struct Moved {
    int epfd;
    epoll_event event;
  };
  void add(Identity socket, Moved& moved) const;

  const int m_fd;
  Moved m_moved[most_sets];
  int m_count = 0;
};

} // namespace socksify::epoll
