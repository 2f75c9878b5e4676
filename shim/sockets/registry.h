// SPDX-License-Identifier: MIT
// What we remember of a socket. The key is SO_COOKIE, the kernel's identity of a socket: equal across dup,
// fork and SCM_RIGHTS, never used twice. So a stale entry can be ignored but never be believed, and close()
// needs no hook.
#pragma once
#include "base/address.h"
#include "kernel/real.h"
#include <cerrno>
#include <sys/socket.h>

namespace socksify {

enum class State : uint8_t {
  pending,        // a CONNECT is on its way: peer, slot, low_water_mark
  connected,      // CONNECT was granted: peer, local
  failed,         // a pending CONNECT has failed, and the program has yet to ask: error
  bound,          // bind() waits to become a BIND: requested, primary
  listening,      // BIND was granted, the second reply is awaited: local, requested, primary
  accepting,      // ... and one thread is taking it
  accepted,       // the connection that accept() returned: peer, local
  dummy_listener, // what stands in for the listening socket afterwards: local
};

struct Socket {
  State state{};
  uint8_t family = AF_INET;        // of the socket, for the addresses that we report
  bool is_listening = false;       // listen() was called
  bool success_unreported = false; // connected: the next connect() says so with 0, all later ones with EISCONN
  uint8_t error = 0;               // failed: the errno; 0 once SO_ERROR has told it
  bool is_nonblocking = false;     // listening, at the last fork(): an accept() elsewhere changes the flags
  uint8_t server = 0;              // the number of the server, for a BIND that follows
  int fd = -1;                     // where it was seen last: a hint, never believed unseen
  int slot = -1;                   // pending: where the handshake is; listening and later: see kept_low_water_mark()
  Endpoint peer{};                 // pending, connected, accepted: what getpeername() says
  Endpoint local{};                // what getsockname() says; the port of a CONNECT may be 0: the socket's own then
  Endpoint requested{};            // bound: the address that the program asked for
  // bound and later: the destination of the primary connection
  Endpoint& primary() { return peer; }
  const Endpoint& primary() const { return peer; }
  // pending: SO_RCVLOWAT as the program has it, at least 1
  uint32_t& low_water_mark() { return requested.ip; }
  uint32_t low_water_mark() const { return requested.ip; }
  // listening, accepting: the same
  int& kept_low_water_mark() { return slot; }
  int kept_low_water_mark() const { return slot; }
  // A BIND, begun or only remembered, whose call has not come.
  bool is_waiting() const { return state == State::bound || awaits_call(); }
  // Connected to the SOCKS server, of which the program is not to know: it neither reads nor writes there.
  bool awaits_call() const { return state == State::listening || state == State::accepting; }
};

inline bool is_pending(const std::optional<Socket>& socket) { return socket && socket->state == State::pending; }

namespace sockets {

// SO_COOKIE; 0: not a socket.
using Identity = uint64_t;

// errno stays as it was. Inline, because processors forget in a system call where functions return to.
inline Identity identity(int fd) {
  const int kept = errno;
  Identity cookie = 0;
  socklen_t length = sizeof cookie;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0)
    return cookie;
  errno = kept;
  return 0;
}

// True while nothing at all is remembered: then no hook need ask.
bool empty();

std::optional<Socket> find(Identity key);
std::optional<Socket> find_fd(int fd);

// The same; and the program is using this connection now: it is the most likely primary.
std::optional<Socket> use(Identity key);

// False if there is no memory for it.
[[nodiscard]] bool remember(Identity key, const Socket& socket);

// Replaces what is remembered if that is still in state `from`. True if this call did it.
bool transition(Identity key, State from, const Socket& socket);

void forget(Identity key);

using Visit = void (*)(Identity key, const Socket& socket);

void for_each_pending(Visit visit);

// Called for each pending socket that is forgotten because it was closed: nobody will ask for its result.
void when_pending_closed(Visit visit);

// A number by which the socket is open in this process, or -1. `hint` is tried first.
int find_open_fd(Identity key, int hint);

// True if there is one that is so, and open.
bool any_open(bool (*is_so)(const Socket& socket));

// Forgets the pending ones that the program has closed in the meantime.
void drop_closed();

// The primary connection (a live CONNECT of this process or its parent) for a bind() to `ip`: one whose reported
// address is `ip`, else the one that was used last.
std::optional<Socket> primary_for(uint32_t ip);

// True if `ip` is the reported local address of a live CONNECT.
bool is_reported(uint32_t ip);

} // namespace sockets
} // namespace socksify
