// SPDX-License-Identifier: MIT
// From the program's fresh socket to a granted request: connects to a SOCKS server and runs the handshake.
#pragma once
#include "config/config.h"
#include "handshake/handshake.h"
#include "kernel/call.h"
#include "kernel/deadline.h"
#include "kernel/uninterrupted.h"
#include <optional>

namespace socksify {

// Which server the socket is being connected to.
struct Attempt {
  uint32_t ip = 0; // the server's address; 0 for a Unix socket
  uint8_t server = 0;
  uint8_t tried = 0; // one bit for each server tried so far, this one included
  // The program's local port, which is taken for this server: the socket was replaced by one that has another port.
  uint16_t bound_port = 0;
  Deadline limit; // of this connection: a share of the time, so that the other servers get theirs
};

// Starts to connect to the next server that can be reached, without waiting. `error` is why the one before failed. 0 or
// EINPROGRESS; another errno if none is left.
[[nodiscard]] int try_next(int fd, int family, Attempt& attempt, Deadline deadline, int error);

// One request to a server, and what came of it.
struct Exchange {
  enum class Result {
    granted,
    pending, // the handshake goes on
    failed,  // Beginning::undo() makes the socket free for another connect()
  };

  Handshake handshake;
  Deadline deadline;
  Attempt attempt;
  Result result = Result::failed;
  // failed: why. pending: what connect() returns now, EINPROGRESS or EINTR as for a TCP connection in progress; or 0 if
  // it waits for the end.
  int error = 0;

  // The address in the reply; where the reply says 0, the one in SOCKSIFY_ADDRESS or the server's own.
  Endpoint reported() const { return reported_by(handshake, attempt.ip); }
  static Endpoint reported_by(const Handshake& handshake, uint32_t server);
  static bool has_address(const Handshake& handshake); // the reply, or SOCKSIFY_ADDRESS
};

// A socket that a request begins on. If the call is left before is_over, undo() makes the socket fresh again.
struct Beginning {
  Beginning(int its_fd, int its_family);
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;
  void undo();

  const int fd, family;
  int low_water_mark = 1; // the program's SO_RCVLOWAT
  bool is_over = false;   // the library remembers the socket

private:
  const OnLeaving m_leaving;
};

// The request for this destination. Nothing for a fake IP whose name is forgotten.
std::optional<Handshake> request_for(socks4::Command command, Endpoint destination);

// Connects the program's fd to a SOCKS server (if `only` is not negative, to this one) and makes the request.
// Mode::blocking waits for the reply and ignores signals. The other modes end with `pending` once the connection to the
// server is made or in progress. `limit` is for all of it, in milliseconds. Keeps errno.
[[nodiscard]] Exchange exchange(int fd, int family, Handshake handshake, Mode mode, int only = -1,
                                int64_t limit = int64_t{config().timeout} * 1000);

// Dissolves the socket's connection. It keeps its options and, if the program bound it, its local port. A Unix socket
// is replaced by a fresh TCP socket of this family.
void disconnect(int fd, int family);

} // namespace socksify
