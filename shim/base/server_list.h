// SPDX-License-Identifier: MIT
// The SOCKS servers as they are written, and by which variable. Shared by the library and the launcher.
#pragma once
#include "base/socks4.h"
#include "base/text.h"
#include <cstdint>

namespace socksify {

using Lookup = const char* (*)(const char* variable); // null or the value

inline constexpr int most_servers = 8;

struct Server {
  Text<256> host; // as the user wrote it: an address or a name; or the path of a Unix socket
  uint16_t port = 1080;
  bool is_unix = false;
};

// What a server's text says of the others as well.
struct ServerHints {
  Text<socks4::max_userid + 1> userid; // empty: it has none
  bool is_socks4 = false, is_socks4a = false;
};

bool is_socks4_url(std::string_view text);

// host[:port], socks4[a]://[user[:password]@]host[:port][/] or unix:/path. Null, or why it makes no sense.
const char* parse_server(std::string_view text, Server& server, ServerHints& hints);

struct ServerMistake {
  std::string_view text;
  const char* reason = nullptr; // null: there is none
};

// All of a list with commas in between, to `servers`, which has room for most_servers.
ServerMistake parse_servers(std::string_view list, Server* servers, int& count, ServerHints& hints);

// The variable that says so, and the list; no name if there is none. SOCKS_SERVER that is set and empty says that there
// is no server, whatever a general proxy variable says; of those, one that means another protocol is passed over.
struct ServerList {
  const char* variable = nullptr;
  std::string_view text;
};
ServerList find_servers(Lookup lookup);

} // namespace socksify
