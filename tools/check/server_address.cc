// SPDX-License-Identifier: MIT
#include "check/server_address.h"
#include "base/server_list.h"
#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace socksify {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

NamedServer named(std::string_view text) {
  Server parsed;
  ServerHints hints;
  parse_server(text, parsed, hints);
  NamedServer server;
  const std::string host{parsed.host.view()};
  server.resolves_names = hints.is_socks4a;
  server.userid = hints.userid.view();
  server.port = parsed.port;
  (parsed.is_unix ? server.path : server.host) = host;
  server.text = parsed.is_unix ? "unix:" + host : fmt::format("{}:{}", host, parsed.port);
  return server;
}

} // namespace

std::vector<NamedServer> parse_servers(std::string_view list) {
  std::vector<NamedServer> servers;
  for (size_t end; !list.empty(); list.remove_prefix(std::min(end + 1, list.size()))) {
    end = std::min(list.find(','), list.size());
    servers.push_back(named(list.substr(0, end)));
  }
  return servers;
}

std::string servers_in_environment() {
  return std::string(find_servers([](const char* name) -> const char* { return std::getenv(name); }).text);
}

std::string userid_for(const NamedServer& server) {
  for (const char* name : {"SOCKS_USER", "SOCKS_USERNAME"})
    if (auto text = variable(name); !text.empty())
      return text;
  if (!server.userid.empty())
    return server.userid;
  for (const char* name : {"LOGNAME", "USER"})
    if (auto text = variable(name); !text.empty())
      return text;
  const passwd* const entry = ::getpwuid(::getuid());
  return entry ? entry->pw_name : "";
}

} // namespace socksify
