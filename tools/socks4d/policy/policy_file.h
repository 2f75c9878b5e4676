// SPDX-License-Identifier: MIT
// Reads a policy from a configuration file, socks4d.conf(5).
#pragma once
#include "socks4d/policy/policy.h"
#include <stdexcept>

namespace socks4d {

// socks4d.conf:12: "alow": unknown statement
struct ConfigError : std::runtime_error {
  using runtime_error::runtime_error;
};

// Pure. Throws ConfigError, which says `name`, the line and the word.
Policy parse_policy(std::string_view text, std::string_view name);
// Throws ConfigError, or Failure if the file cannot be read.
Policy read_policy(const std::string& file);

} // namespace socks4d
