// SPDX-License-Identifier: MIT
// What the server permits: limits, and rules about who may reach what (socks4d.conf(5)). Pure.
#pragma once
#include "base/network.h"
#include "socks4d/base.h"
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socks4d {

using socksify::Network;

// A request, as the rules see it. For a BIND, the destination's address is the host that may call, 0.0.0.0 for any
// host, and the port is that of the primary connection.
struct AccessRequest {
  socks4::Command command{};
  uint32_t client = 0;          // its address
  bool is_local_client = false; // on the server's own host
  Endpoint destination;
  std::string_view userid;
};

// A rule matches if all of its conditions do.
struct Rule {
  bool allows = false;
  std::optional<socks4::Command> command;
  std::optional<Network> from, to;
  uint16_t first_port = 0, last_port = 65535;
  std::optional<std::string> userid;

  bool matches(const AccessRequest& request) const;
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

  // The first matching rule decides. Two things are open to clients on the server's own host only: its loopback
  // addresses, and a BIND that accepts a call from any host. Other clients need a rule whose `to` covers nothing but
  // such addresses.
  bool allows(const AccessRequest& request) const;
};

} // namespace socks4d
