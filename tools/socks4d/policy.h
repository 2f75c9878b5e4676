// SPDX-License-Identifier: MIT
// What the server's configuration says, socks4d.conf(5): limits, and rules for who may reach what. Pure but for
// read_policy(), which opens a file.
#pragma once
#include "base/network.h"
#include "base/socks4.h"
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace socksify {

// A request, as rules look at it. For a BIND the destination is who is expected to call, 0.0.0.0 being anybody, and the
// port is that of the primary connection.
struct Attempt {
  socks4::Command command{};
  uint32_t client = 0;          // its address
  bool is_local_client = false; // it is on the server's own host
  Endpoint destination;
  std::string_view userid;
};

// Applies where all that it names fits.
struct Rule {
  bool allows = false;
  std::optional<socks4::Command> command;
  std::optional<Network> from, to;
  uint16_t first_port = 0, last_port = 65535;
  std::optional<std::string> userid;

  bool fits(const Attempt& attempt) const;
};

struct Policy {
  std::chrono::seconds request_timeout{30};
  // "2 minutes in current CSTC implementation"
  std::chrono::seconds connect_timeout{120};
  std::chrono::seconds bind_timeout{120};
  std::chrono::seconds ident_timeout{10};
  bool requires_ident = false;
  unsigned max_clients = 0; // 0: no limit
  std::vector<Rule> rules;
  bool allows_by_default = true;

  // By the first rule that fits. Clients of other hosts need a rule whose `to` is about such addresses alone for what
  // is open to the server's own host only: its loopback addresses, and a BIND that takes a call from anybody.
  bool allows(const Attempt& attempt) const;
};

// socks4d.conf:12: "alow": unknown statement
struct ConfigError : std::runtime_error {
  using runtime_error::runtime_error;
};

// Throws ConfigError, which names the file by `name`, the line and the word.
Policy parse_policy(std::string_view text, std::string_view name);
// Throws Failure as well.
Policy read_policy(const std::string& file);

} // namespace socksify
