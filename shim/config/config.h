// SPDX-License-Identifier: MIT
// What the environment asks for, read once. `parse_config` is a pure function of the variables; `config()` is the
// process's own. A variable that cannot be understood fails closed: what would have been proxied is denied.
#pragma once
#include "base/fake_ip.h"
#include "base/server_list.h"

namespace socksify {

// The first value that could not be understood.
struct Mistake {
  const char* variable = nullptr; // null: there is none
  Text<256> value;
  const char* reason = "";
};

// Who resolves names.
enum class Dns : uint8_t {
  local,     // this host
  automatic, // this host, and the SOCKS server those that this host does not know
  remote,    // the SOCKS server
};

// Whose calls a socket takes that the program binds.
enum class Bind : uint8_t {
  off,       // this host's network: bind() is the plain one
  automatic, // that of the primary connection's destination, as in FTP
  any,       // anybody's, as in DCC, where the primary connection is to somebody who only tells the caller
};

// What becomes of datagrams that would leave this host: SOCKS4 has no way for them.
enum class Leak : uint8_t { allow, warn, deny };

struct Config {
  bool active = false; // a server is named, or was meant to be
  Mistake mistake;
  Text<socks4::max_userid + 1> userid;
  unsigned timeout = 130; // seconds for one handshake: the server's own 120 come first
  Bind bind = Bind::automatic;
  bool proxy_loopback = false;
  bool fast_open = false; // the request may go in the SYN
  Dns dns = Dns::automatic;
  Leak leak = Leak::allow;
  int debug = 0; // 0: silent; 1 to 3: see log.h
  // Rarely set, and so not in the pages that every process has to have. Terminated by NUL.
  std::string_view log_file; // empty: stderr
  std::string_view no_proxy;
  std::string_view session; // file of the names that have stand-ins; empty: the user's

  int server_count = 0;
  Server servers[most_servers]; // the first ones

  // Names can be the SOCKS server's to resolve. After a mistake none are asked for here: it may be in what says so.
  bool resolves_remotely() const { return active && (dns == Dns::remote || mistake.variable); }
  bool is_fake_ip(const Ip& ip) const { return uses_fake_ips() && ip.is_ipv4() && fake_ip::contains(ip.ipv4()); }
  bool uses_fake_ips() const { return active && (dns != Dns::local || mistake.variable); }
};

// Its texts are the variables' own.
void parse_config(Lookup lookup, Config& config);

const Config& config();

// The userid for requests. Without any hint in the environment it is the login name, looked up at its first use.
std::string_view userid();

} // namespace socksify
