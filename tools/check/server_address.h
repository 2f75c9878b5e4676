// SPDX-License-Identifier: MIT
// The servers that SOCKS_SERVER names.
#pragma once
#include "check/conversation.h"
#include <string>
#include <string_view>
#include <vector>

namespace socksify {

struct NamedServer {
  std::string text; // as it is told: host:port, or unix:/path
  std::string host; // empty: `path`
  uint16_t port = 1080;
  std::string path;
  std::string userid;          // empty: none in the URL
  bool resolves_names = false; // socks4a://
};

// The launcher has made sure that it makes sense.
std::vector<NamedServer> parse_servers(std::string_view list);

// In the order of precedence that the library has.
std::string servers_in_environment();
std::string userid_for(const NamedServer& server);

} // namespace socksify
