// SPDX-License-Identifier: MIT
// SOCKS servers as the user writes them.
#pragma once
#include "base/socks4.h"
#include "base/text.h"
#include <cstdint>

namespace socksify {

inline constexpr int most_servers = 8;

struct Server {
  Text<256> host; // as the user wrote it: an address or a name; or the path of a Unix socket
  uint16_t port = 1080;
  bool is_unix = false;
};

// What the text of one server says about all of the list.
struct ServerHints {
  Text<socks4::max_userid + 1> userid; // empty: it has none
  bool is_socks4 = false, is_socks4a = false;
};

inline constexpr const char* socks4_only = "SOCKS4 only: the scheme has to be socks4:// or socks4a://";

bool is_socks4_url(std::string_view text);

// host[:port], socks4[a]://[user[:password]@]host[:port][/] or unix:/path. Null, or why it makes no sense.
const char* parse_server(std::string_view text, Server& server, ServerHints& hints);

struct ServerMistake {
  std::string_view text;
  const char* reason = nullptr; // null: there is none
};

// Parses a list separated by commas into `servers`, which has room for most_servers.
ServerMistake parse_servers(std::string_view list, Server* servers, int& count, ServerHints& hints);

} // namespace socksify
