// SPDX-License-Identifier: MIT
// A socket's membership in epoll sets, as the program changes it.
#pragma once
#include "sockets/epoll_registrations.h"

namespace socksify::epoll {

// epoll_ctl() on a socket.
int control(Identity identity, int epfd, int operation, int fd, epoll_event* event);

// Moves the registrations of a listening socket to its stand-in: takes them off its number, and, when the stand-in is
// there, puts them back.
class Move {
public:
  explicit Move(int fd);
  void finish(int fd);

private:
  struct Moved {
    int epfd;
    epoll_event event;
  };
  Moved m_registrations[most_sets];
  int m_count = 0;
};

} // namespace socksify::epoll
