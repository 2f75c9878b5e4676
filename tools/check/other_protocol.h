// SPDX-License-Identifier: MIT
// What a server speaks that does not reply to a SOCKS4 request as a SOCKS4 server does.
#pragma once
#include "check/connection.h"

namespace socksify::check {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// "closes the connection".
std::string ending(const Received& received, std::chrono::milliseconds limit);

// `received` is what it replied to a SOCKS4 request; it may be asked by other protocols now.
std::string what_it_speaks(const ServerAddress& server, const Received& received, std::chrono::milliseconds limit);

} // namespace socksify::check
