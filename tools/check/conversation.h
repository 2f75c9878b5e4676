// SPDX-License-Identifier: MIT
// One connection to a server, one message to it, and the beginning of what it says. Every wait has a limit.
#pragma once
#include "base/address.h"
#include "base/fd.h"
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <sys/un.h>

namespace socksify {

// Where a server is: an IPv4 endpoint, or a Unix socket's path.
struct Place {
  Endpoint endpoint;
  std::string path; // empty: the endpoint
};

enum class End { open, closed, reset, silent, none };

struct Heard {
  std::string bytes;   // eight at most, as a SOCKS4 reply has
  End end = End::none; // why there are no more: `none`: there are enough
  int error = 0;
};

class Conversation {
public:
  explicit Conversation(std::chrono::milliseconds limit) : m_limit(limit) {}

  // 0 or the error.
  int connect(const Place& place);
  bool say(std::span<const uint8_t> bytes);
  // Up to eight bytes, until `limit`.
  Heard hear(std::chrono::milliseconds limit);
  Heard hear() { return hear(m_limit); }
  Endpoint local() const;

private:
  std::chrono::milliseconds m_limit;
  Fd m_fd;
};

} // namespace socksify
