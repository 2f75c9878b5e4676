// SPDX-License-Identifier: MIT
// What the command line says.
#pragma once
#include "address.h"
#include <chrono>
#include <stdexcept>
#include <string>

namespace socksify {

struct Options {
  enum class Action { serve, help, version };

  Action action = Action::serve;
  Endpoint listen{INADDR_LOOPBACK, 1080};
  uint32_t bind_address = 0; // where connections leave from and come in; 0: as the routing table says

  // "The server sets a time limit (2 minutes in current CSTC implementation) for the establishment of its
  // connection with the application server."
  std::chrono::milliseconds establishment_limit{120'000};
  std::chrono::milliseconds request_limit{30'000}; // for all of the request
  std::chrono::milliseconds farewell_limit{2'000}; // for the client to close after a refusal
};

struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

// Throws UsageError, in one line.
Options parse_options(int argc, char** argv);

std::string usage();

} // namespace socksify
