// SPDX-License-Identifier: MIT
// From a fresh socket of the program's to a granted request: connect to the SOCKS server, then the handshake.
#pragma once
#include "handshake/handshake.h"
#include "kernel/deadline.h"
#include <cerrno>
#include <optional>

namespace socksify {

// Which server the connection is made to.
struct Attempt {
  uint32_t ip = 0; // its address; 0 of a Unix socket
  uint8_t server = 0;
  uint8_t tried = 0; // a bit for each that has been tried, this one too
  Deadline limit;    // of the connection to it: a share of the time, so that others get theirs
};

// Begins a connection to the next server that can be, without waiting. `error` is why the one before could not be
// reached. 0 or EINPROGRESS; or an errno when there is none left.
[[nodiscard]] int try_next(int fd, int family, Attempt& attempt, Deadline deadline, int error);

// The beginning of every request.
struct Exchange {
  Handshake handshake;
  Deadline deadline;
  Attempt attempt;
  int error = 0;          // an errno; 0: granted
  bool must_wait = false; // EINPROGRESS, but the program's connect() is to return when it is over
  // With a handshake that has not ended: EINPROGRESS as for a connect() that need not or may not wait longer,
  // and EINTR. All else has been undone: the socket is unconnected again and can be used for another
  // connect().
  bool is_pending() const { return error == EINPROGRESS || error == EINTR; }
  // The address in the reply, with the server's own where the reply says 0.
  Endpoint reported() const { return reported_by(handshake, attempt.ip); }
  static Endpoint reported_by(const Handshake& handshake, uint32_t server);
};

// A request for this destination; nothing for a stand-in whose name nobody knows any more.
std::optional<Handshake> request_for(socks4::Command command, Endpoint destination);

// Connects the program's fd to the SOCKS server and makes the request. If the socket blocks, returns when there is a
// reply or the configuration's time is over. With Patience::wait so it does even if the socket does not block or
// signals come: getsockname() and listen() know neither EINPROGRESS nor EINTR. errno stays as it was.
enum class Mode { like_socket, blocking, nonblocking }; // at_once: as if the socket did not block
// `only`: by this server and no other.
[[nodiscard]] Exchange exchange(int fd, int family, Handshake handshake, Mode mode, int only = -1);

// Takes the connection off the socket, which keeps its options and, if the program bound it, its local port.
// (In the place of a Unix socket there is a fresh one of this family then.)
void disconnect(int fd, int family);

} // namespace socksify
