// SPDX-License-Identifier: MIT
// The command line.
#pragma once
#include "socks4d/net/listen_address.h"
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace socks4d {

struct Options {
  enum class Action { serve, check_config, help, version };

  Action action = Action::serve;
  std::vector<ListenAddress> listen;
  uint32_t bind_address = 0;    // for connections to and from application servers; 0: the routing table decides
  std::string config;           // file; empty: none
  bool may_lack_config = false; // the file may be missing at the start
  std::string log;              // file, "-", or empty: none
  std::string user;             // switch to this user; empty: stay
  bool fast_open = false;       // TCP Fast Open
  unsigned threads = 0;         // 0: one per core
  uint16_t ident_port = 113;    // RFC 1413

  // After a refusal the client has this long to close its connection.
  std::chrono::milliseconds farewell_limit{2'000};
};

struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

// Throws UsageError with a message of one line.
Options parse_options(int argc, char** argv);

std::string usage();

} // namespace socks4d
