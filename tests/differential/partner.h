// SPDX-License-Identifier: MIT
// The partners always do the same, so the player knows what must arrive on each connection, and when there is nothing
// more to wait for. After every step that starts something it waits for that, with system calls that the shim does not
// see. So the next step has only one possible outcome.
#pragma once
#include <cstddef>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>

namespace differential {

enum class Phase : char {
  fresh,
  connecting, // since the last step; to "slow" forever
  connected,
  listening,
};

struct Connection {
  char kind[16]; // which partner
  Phase phase;
  size_t sent;    // decides the next bytes
  size_t to_come; // bytes that must arrive and are not read yet
  bool is_shut;   // shutdown(SHUT_WR), after which the partner ends its half
  bool end_comes; // the end of the stream
  bool reset_comes;
  bool call_comes;       // to a listening socket
  const void* caller;    // the control connection that it was asked on
  size_t said;           // bytes of the caller that nobody has accepted yet
  sockaddr_storage name; // as getsockname() reported it; family 0: not since connect()
};

// In memory shared with children of fork(). Never freed, because a run is short.
Connection& new_connection();

void connecting(Connection& connection, std::string_view kind, bool is_done);
void disconnected(Connection& connection);
void sent(Connection& connection, size_t count);
void received(Connection& connection, size_t count);
void shut(Connection& connection);
void called(Connection& control, Connection& listener);
void said(Connection& control, Connection& listener);
void accepted(Connection& connection, Connection* listener);

// Waits until everything has arrived that must arrive; false if it does not.
bool settle(int fd, Connection& connection);

} // namespace differential
