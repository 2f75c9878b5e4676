// SPDX-License-Identifier: MIT
// Registrations in epoll sets. They live in the kernel with the program's own data word; so we remember those of
// sockets that may yet get a CONNECT or a BIND. While a CONNECT is on its way the registration is withheld: the kernel
// holds the events of the handshake and a token of ours in its place. Afterwards the program's own is given back.
#pragma once
#include "sockets.h"
#include <atomic>
#include <sys/epoll.h>

namespace socksify::epoll {

using sockets::Identity;

inline constexpr int most_sets = 64; // that one socket can be in

struct Registration {
  int epfd = -1;
  int fd = -1; // the number it was registered by
  uint64_t data = 0;
  uint32_t events = 0;
  short handshake = 0; // while it is withheld: the events of poll() that the kernel waits for in its place
  bool is_listener = false;
  Identity socket = 0;

  bool is_withheld() const { return handshake != 0; }
  bool operator==(const Registration&) const = default;
};

// epoll_ctl() on a socket.
int control(Identity identity, int epfd, int operation, int fd, epoll_event* event);

// True if nothing is remembered.
bool no_registrations();

// The socket's registrations wait for poll() `events` of the handshake instead of the program's events. `known_fd`: a
// number that the caller has just seen to be the socket's, or -1.
void withhold(Identity socket, short events, int known_fd);

// The socket's registrations are the program's own again.
void give_back(Identity socket, int known_fd);

// The socket listens from now on, by a BIND.
void listens(Identity socket);

// How many registrations hold a token in the kernel now, and how often one has ceased to.
inline constinit std::atomic<int> withheld{0};
inline constinit std::atomic<uint32_t> given_back{0};

// True if events of a handshake's may come out of any set, or out of this one.
inline bool any_withheld() { return withheld.load(std::memory_order_relaxed) > 0; }
bool holds_withheld(int epfd);

// Changes when a registration is given back: what the kernel has said before may be an event of the handshake's still.
inline uint32_t times_given_back() { return given_back.load(std::memory_order_acquire); }

// The registration whose token an event from this set carries; nothing for an event of the program's.
std::optional<Registration> named_by(int epfd, const epoll_event& event);

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

// In a child: see Table.
void mend_registrations_after_fork();

} // namespace socksify::epoll
