// SPDX-License-Identifier: MIT
// The settings: one table of their names, what takes precedence, how a value is parsed and what it means. The library,
// the launcher and --check read this table, so that they cannot disagree. Pure: no I/O, no heap.
#pragma once
#include "base/fake_ip.h"
#include "base/server_list.h"
#include <span>

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
  automatic, // this host first; the SOCKS server gets the names that this host does not know
  remote,    // the SOCKS server
};

// Whose calls a socket accepts after the program has bound it.
enum class Bind : uint8_t {
  off,       // those of this host's network: bind() is the real one
  automatic, // those of the primary connection's destination, as in FTP
  any,       // anybody's, as in DCC, where the primary connection only says who is going to call
};

// What happens to datagrams that would leave this host: SOCKS4 cannot carry them.
enum class Leak : uint8_t { allow, warn, deny };

struct Config {
  bool active = false; // a server is named, even if the name makes no sense
  Mistake mistake;
  Text<socks4::max_userid + 1> userid;
  unsigned timeout = 130; // seconds for one handshake: the server's own limit of 120 comes first
  Bind bind = Bind::automatic;
  bool proxy_loopback = false;
  uint32_t address = 0;   // where others see the SOCKS server, for replies without an address; 0: unknown
  bool io_uring = false;  // the program may use it, past the proxy
  bool fast_open = false; // the request may travel in the SYN
  Dns dns = Dns::automatic;
  Leak leak = Leak::allow;
  int debug = 0; // 0: silent; 1 to 3: see config/log.h
  // Views of the variables, which end with NUL. They are rarely set, so a process does not pay for buffers.
  std::string_view log_file; // empty: stderr
  std::string_view no_proxy;
  std::string_view session; // the file of names that have fake IPs; empty: the user's

  int server_count = 0;
  Server servers[most_servers]; // the first `server_count` ones

  // The SOCKS server may resolve names. After a mistake nobody is asked on this host: the mistake may be in that
  // choice.
  bool resolves_remotely() const { return active && (dns == Dns::remote || mistake.variable); }
  bool uses_fake_ips() const { return active && (dns != Dns::local || mistake.variable); }
  bool is_fake_ip(const Ip& ip) const { return uses_fake_ips() && ip.is_ipv4() && fake_ip::contains(ip.ipv4()); }
};

// What is special about a setting; bits.
enum Trait : unsigned {
  ordinary = 0,
  alias_first = 1,  // its alias takes precedence over its name
  not_in_files = 2, // only the environment sets it
  may_be_empty = 4, // in a settings file: the empty value has a meaning
};

struct Setting {
  const char* name;  // what options set and settings files use
  const char* alias; // another name for it, or null
  unsigned traits;
  // Puts the value into the configuration. Null, or why it makes no sense; the configuration is strict then.
  const char* (*parse)(std::string_view value, Config& config);
  const char* help;
};

// In the order in which they are parsed: the server comes first, because its URL has hints for others.
extern const std::span<const Setting> settings;

// Names the server under a name that no other software reads: Chromium and Electron take SOCKS_SERVER for a SOCKS5
// server. The launcher passes the server on by this name, so that SOCKS_SERVER takes precedence if it is set later.
inline constexpr const char* private_server = "SOCKSIFY_SERVER";

// These name the server if no other variable does and their scheme is SOCKS4's.
inline constexpr const char* general_proxies[] = {"all_proxy", "ALL_PROXY"};

// The value of a variable, or null.
using Lookup = const char* (*)(const char* variable);

struct Variable {
  const char* name = nullptr; // null: none is set
  std::string_view value;
};

// Of a setting's names, the one that takes precedence among those that are set and not empty.
Variable variable_for(const Setting& setting, Lookup lookup);

// The variable that names the servers: SOCKS4_SERVER, SOCKS_SERVER, SOCKSIFY_SERVER. SOCKS_SERVER that is set and empty
// says that there is no server, whatever a general proxy variable says; of those, one for another protocol is passed
// over.
Variable find_servers(Lookup lookup);

// By its name; null if there is no such setting.
const Setting* find_setting(std::string_view name);

// Every value as the library understands it. A mistake fails closed: what would have been proxied is denied.
void parse_config(Lookup lookup, Config& config);

} // namespace socksify
