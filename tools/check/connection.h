// SPDX-License-Identifier: MIT
// One connection to a server: a message, and the beginning of what the server replies. Every wait has a limit.
#pragma once
#include "base/address.h"
#include "base/fd.h"
#include <chrono>
#include <span>
#include <string>

namespace socksify::check {

// Where a server is: an IPv4 endpoint, or the path of a Unix socket.
struct ServerAddress {
  Endpoint endpoint;
  std::string path; // empty: the endpoint counts
};

enum class End { closed, reset, silent, none };

struct Received {
  std::string bytes;   // at most the eight of a SOCKS4 reply
  End end = End::none; // why there are no more; `none`: eight have come
};

class Connection {
public:
  explicit Connection(std::chrono::milliseconds limit) : m_limit(limit) {}

  // 0 or the error.
  int connect(const ServerAddress& server);
  bool send(std::span<const uint8_t> bytes);
  Received receive(std::chrono::milliseconds limit);
  Received receive() { return receive(m_limit); }
  Endpoint local() const;

private:
  int start(const ServerAddress& server);

  std::chrono::milliseconds m_limit;
  Fd m_fd;
};

} // namespace socksify::check
