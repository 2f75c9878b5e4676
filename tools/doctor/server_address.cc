// SPDX-License-Identifier: MIT
#include "server_address.h"
#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <strings.h>
#include <unistd.h>

namespace socksify {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

bool has_scheme(const std::string& text, const char* scheme) {
  return ::strncasecmp(text.c_str(), scheme, std::char_traits<char>::length(scheme)) == 0;
}

NamedServer parse_server(std::string text) {
  NamedServer server;
  if (const size_t scheme = text.find("://"); scheme != text.npos) {
    server.resolves_names = has_scheme(text, "socks4a:");
    text.erase(0, scheme + 3);
    if (text.ends_with('/'))
      text.pop_back();
    if (const size_t at = text.rfind('@'); at != text.npos) {
      server.userid = text.substr(0, at);
      text.erase(0, at + 1);
    }
  }
  if (text.starts_with("unix:")) {
    server.text = text;
    server.path = text.substr(5);
    return server;
  }
  const size_t colon = text.find(':');
  server.host = text.substr(0, colon);
  if (colon != text.npos)
    server.port =
        static_cast<uint16_t>(parse_number(std::string_view{text}.substr(colon + 1), 1, 65535).value_or(server.port));
  server.text = fmt::format("{}:{}", server.host, server.port);
  return server;
}

} // namespace

std::vector<NamedServer> parse_servers(std::string_view list) {
  std::vector<NamedServer> servers;
  for (size_t end; !list.empty(); list.remove_prefix(std::min(end + 1, list.size()))) {
    end = std::min(list.find(','), list.size());
    servers.push_back(parse_server(std::string(list.substr(0, end))));
  }
  return servers;
}

std::string servers_in_environment() {
  for (const char* name : {"SOCKS4_SERVER", "SOCKS_SERVER"})
    if (auto text = variable(name); !text.empty())
      return text;
  for (const char* name : {"all_proxy", "ALL_PROXY"})
    if (auto text = variable(name); has_scheme(text, "socks4://") || has_scheme(text, "socks4a://"))
      return text;
  return {};
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
