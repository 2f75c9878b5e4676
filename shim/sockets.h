// SPDX-License-Identifier: MIT
// What we remember of a socket. The key is SO_COOKIE, the kernel's identity of a socket: equal across dup,
// fork and SCM_RIGHTS, never used twice. So a stale entry can be ignored but never be believed, and close()
// needs no hook.
#pragma once
#include "address.h"

namespace socksify {

enum class State : uint8_t {
  connected, // CONNECT was granted: peer, local
  failed,    // an interrupted connect was undone: SO_ERROR says `error` once
  bound,     // bind() waits to become a BIND: requested, primary
  listening, // BIND was granted, the second reply is awaited: local, primary
  accepting, // ... and one thread is taking it
  accepted,  // the connection that accept() returned: peer, local
  silent,    // what stands in for the listening socket afterwards: local
};

struct Socket {
  State state{};
  uint8_t family = AF_INET;  // of the socket, for the addresses that we report
  bool is_listening = false; // listen() was called
  uint8_t error = 0;
  int fd = -1;          // where it was seen last: a hint, never believed unseen
  Endpoint peer{};      // connected, accepted: what getpeername() says
  Endpoint local{};     // what getsockname() says; the port of a CONNECT may be 0: the socket's own then
  Endpoint requested{}; // bound: the address that the program asked for
  // bound and later: the destination of the primary connection
  Endpoint& primary() { return peer; }
  const Endpoint& primary() const { return peer; }
  // A BIND, begun or only remembered, whose call has not come.
  bool is_waiting() const {
    return state == State::bound || state == State::listening || state == State::accepting;
  }
};

namespace sockets {

// True while nothing at all is remembered: then no hook need ask.
bool empty();

std::optional<Socket> find(int fd);

// The same; and the program is using this connection now: it is the most likely primary.
std::optional<Socket> use(int fd);

// False if there is no memory for it.
[[nodiscard]] bool remember(int fd, Socket socket);

void forget(int fd);

// Moves the socket from one state to the next; false if it is not (any more) in the first.
bool advance(int fd, State from, State to);

// Returns the error that waits for SO_ERROR, if there is one, and forgets it.
std::optional<int> take_error(int fd);

// The primary connection (a live CONNECT of this process or its parent) for a bind() to `ip`: one whose
// reported address is `ip`, else the one that was used last.
std::optional<Socket> primary_for(uint32_t ip);

// True if `ip` is the reported local address of a live CONNECT.
bool is_reported(uint32_t ip);

} // namespace sockets
} // namespace socksify
