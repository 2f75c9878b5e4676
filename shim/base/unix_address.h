// SPDX-License-Identifier: MIT
// "unix:/run/socks4d": the address of a Unix socket. Pure. Clients name servers this way, and socks4d its listeners.
#pragma once
#include <optional>
#include <string_view>

namespace socksify {

struct UnixAddress {
  std::string_view path;
  const char* error = nullptr; // why the path cannot be used
};

// Nothing if `text` does not begin with "unix:", in lower or upper case.
std::optional<UnixAddress> parse_unix_address(std::string_view text);

} // namespace socksify
