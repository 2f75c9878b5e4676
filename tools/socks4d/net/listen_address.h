// SPDX-License-Identifier: MIT
// An address that clients connect to, as the user writes it: "127.0.0.1:1080" or "unix:/run/socks4d/socket".
#pragma once
#include "socks4d/base.h"
#include <optional>
#include <string>
#include <string_view>

namespace socks4d {

struct ListenAddress {
  Endpoint endpoint;
  std::string path; // of a Unix socket; empty: TCP

  static std::optional<ListenAddress> from(std::string_view text);
  bool is_unix() const { return !path.empty(); }
  std::string text() const;
};

} // namespace socks4d
