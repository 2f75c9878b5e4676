// SPDX-License-Identifier: MIT
#include "socks4d/net/listen_address.h"
#include "base/unix_address.h"

namespace socks4d {

std::optional<ListenAddress> ListenAddress::from(std::string_view text) {
  if (const auto address = socksify::parse_unix_address(text))
    return address->error ? std::nullopt : std::optional(ListenAddress{{}, std::string(address->path)});
  const size_t colon = text.rfind(':');
  if (colon == text.npos)
    return std::nullopt;
  const auto ip = parse_ipv4(text.substr(0, colon));
  const auto port = parse_number(text.substr(colon + 1), 0, 65535);
  if (!ip || !port)
    return std::nullopt;
  return ListenAddress{{*ip, static_cast<uint16_t>(*port)}, {}};
}

std::string ListenAddress::text() const { return is_unix() ? "unix:" + path : std::string(to_text(endpoint).view()); }

} // namespace socks4d
