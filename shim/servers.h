// SPDX-License-Identifier: MIT
// The SOCKS servers, in the order in which they are tried: how they are written, and where they are.
#pragma once
#include "address.h"
#include "socks4.h"

namespace socksify {

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

namespace servers {

inline constexpr int most = 8;

// The address of the configuration's server of this number; a name is resolved at its first use. Nothing if that fails,
// and for a Unix socket.
std::optional<Endpoint> endpoint(int number);

// True if any is on a Unix socket.
bool any_unix();

// True for the address of any that is known without asking.
bool includes(Endpoint endpoint);

// The one to try first, or after those whose bits are set in `tried`: in the order of the configuration, but those that
// could not be reached a short time ago come last. -1: there is none left.
int next(unsigned tried);
void note_unreached(int number);

// True if an errno of a connection that has never stood says that the server could not be reached.
bool is_unreached(int error);

} // namespace servers
} // namespace socksify
