// SPDX-License-Identifier: MIT
// What the command line says.
#pragma once
#include "socks4d/listener.h"
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace socksify {

struct Options {
  enum class Action { serve, check_config, help, version };

  Action action = Action::serve;
  std::vector<ListenAddress> listen;
  uint32_t bind_address = 0;    // where connections leave from and come in; 0: as the routing table says
  std::string config;           // file; empty: none
  bool may_lack_config = false; // that file need not be there when it starts
  std::string log;              // file, "-", or empty: none
  std::string user;             // to become; empty: stay
  bool fast_open = false;       // TCP Fast Open
  unsigned threads = 0;         // 0: as many as cores
  uint16_t ident_port = 113;    // RFC 1413

  std::chrono::milliseconds farewell_limit{2'000}; // for the client to close after a refusal
};

struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

// Throws UsageError, in one line.
Options parse_options(int argc, char** argv);

std::string usage();

} // namespace socksify
