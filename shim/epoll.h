// SPDX-License-Identifier: MIT
// epoll sets. A registration lives in the kernel, with the program's own data word; so we remember those of
// sockets that may yet get a CONNECT or a BIND. While a CONNECT is on its way, the kernel holds the events of
// the handshake and a token of ours in their place, and epoll_wait() takes such an event as a call to go on;
// afterwards the program's own are back.
#pragma once
#include "sockets.h"
#include "wait.h"
#include <csignal>
#include <sys/epoll.h>

namespace socksify::epoll {

using sockets::Identity;

// epoll_ctl().
int control(int epfd, int operation, int fd, epoll_event* event);

// The socket's registrations wait for poll() `events` of the handshake instead of the program's events.
void withhold(Identity socket, short events);

// The socket's registrations are the program's own again.
void give_back(Identity socket);

// True if events of a handshake's may come out of any set.
bool any_withheld();

// epoll_pwait(); a null mask leaves the signal mask alone.
int wait(int epfd, epoll_event* events, int size, Deadline deadline, const sigset_t* mask);

// Takes the events of handshakes, which go on thereby, out of what the kernel has said. Returns how many are
// left.
int sift(int epfd, epoll_event* events, int count);

// A set is readable when it has events. True if this one holds handshakes, whose events are not the program's.
bool holds_handshakes(int epfd);
// Whether a set is readable still when all handshakes have gone on.
bool is_readable_after_handshakes(int epfd);

// Moves the registrations of a listening socket to its stand-in: take them off its number, and, when the
// stand-in is there, put them back.
class Move {
public:
  explicit Move(int fd);
  void finish(int fd);

private:
  static constexpr int most = 16;
  struct Moved {
    int epfd;
    epoll_event event;
  };
  Moved m_registrations[most];
  int m_count = 0;
};

} // namespace socksify::epoll
