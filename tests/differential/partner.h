// SPDX-License-Identifier: MIT
// What is known of each connection, because the partners do the same every time: what has to arrive, and when there is
// nothing more to wait for. After every step that sets something in motion the player waits for that, by system calls
// of its own that the shim does not see; so the next question has one answer only.
#pragma once
#include <cstddef>
#include <string_view>
#include <sys/types.h>

namespace differential {

enum class Phase : char {
  fresh,
  connecting, // since the last step; to "slow": for ever
  connected,
  listening,
};

struct Connection {
  char kind[16]; // of partner
  Phase phase;
  size_t sent;    // for the text of the next bytes
  size_t to_come; // bytes that have to arrive and are not read yet
  bool is_shut;   // shutdown(SHUT_WR): the partner ends it, too
  bool end_comes; // the end of the stream
  bool reset_comes;
  bool call_comes; // to a listening socket
};

// In memory that children of fork() share. Never freed: a run is short.
Connection& new_connection();

void connecting(Connection& connection, std::string_view kind, bool is_done);
void disconnected(Connection& connection);
void sent(Connection& connection, size_t count);
void received(Connection& connection, size_t count);
void shut(Connection& connection);
void called(Connection& control, Connection& listener);
void accepted(Connection& connection);

// Waits until all that has to arrive has arrived; false if it does not.
bool settle(int fd, Connection& connection);

} // namespace differential
