// SPDX-License-Identifier: MIT
#include "base/server_list.h"
#include "base/address.h"
#include "base/unix_address.h"

namespace socksify {
namespace {

bool is_host(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  };
  for (char c : host)
    if (!allowed(c))
      return false;
  return true;
}

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes %XX as curl does; a % without two hexadecimal digits stays a %.
const char* decode_userid(std::string_view text, Text<socks4::max_userid + 1>& userid) {
  userid.clear();
  for (size_t at = 0; at < text.size(); ++at) {
    char byte = text[at];
    if (byte == '%' && text.size() - at > 2 && digit(text[at + 1]) >= 0 && digit(text[at + 2]) >= 0) {
      byte = static_cast<char>(digit(text[at + 1]) << 4 | digit(text[at + 2]));
      at += 2;
    }
    if (byte == '\0')
      return "a userid cannot have a zero byte in it";
    if (userid.view().size() == socks4::max_userid)
      return "the userid is too long";
    userid.add(byte);
  }
  return nullptr;
}

// Reads the userid in front of the host. A password is skipped, as curl does: SOCKS4 has none.
const char* read_authority(std::string_view& text, ServerHints& hints) {
  if (text.ends_with('/'))
    text.remove_suffix(1);
  const auto [user, rest, found] = split_at(text, text.rfind('@'));
  if (!found)
    return nullptr;
  text = rest;
  Text<socks4::max_userid + 1> userid;
  if (const char* reason = decode_userid(split_at(user, user.find(':')).before, userid))
    return reason;
  if (!hints.userid.view().empty() && hints.userid.view() != userid.view())
    return "another userid than the server before it";
  hints.userid = userid;
  return nullptr;
}

const char* use_unix_address(const UnixAddress& address, Server& server) {
  if (address.error)
    return address.error;
  server.is_unix = true;
  server.host.clear();
  server.host.add(address.path);
  return nullptr;
}

const char* read_url(std::string_view& text, ServerHints& hints) {
  if (!is_socks4_url(text))
    return socks4_only;
  (has_scheme(text, "socks4a://") ? hints.is_socks4a : hints.is_socks4) = true;
  text.remove_prefix(text.find("://") + 3);
  return read_authority(text, hints);
}

const char* read_host(std::string_view host, Server& server) {
  if (host.empty())
    return "the host is missing";
  if (!is_host(host))
    return "not HOST[:PORT], socks4://[USER@]HOST[:PORT] or unix:/PATH";
  if (host.size() >= 256)
    return "too long";
  server.host.clear();
  server.host.add(host);
  return nullptr;
}

const char* read_host_and_port(std::string_view text, Server& server) {
  const auto [host, port_text, has_port] = split_at(text, text.find(':'));
  if (text.starts_with('[') || port_text.find(':') != port_text.npos)
    return "an IPv6 address: SOCKS4 servers are reached by IPv4";
  const auto port = has_port ? parse_number(port_text, 1, 65535) : server.port;
  if (!port)
    return "the port has to be a number from 1 to 65535";
  server.port = static_cast<uint16_t>(*port);
  return read_host(host, server);
}

} // namespace

bool is_socks4_url(std::string_view url) { return has_scheme(url, "socks4://") || has_scheme(url, "socks4a://"); }

const char* parse_server(std::string_view text, Server& server, ServerHints& hints) {
  if (const auto address = parse_unix_address(text))
    return use_unix_address(*address, server);
  if (text.find("://") != text.npos)
    if (const char* reason = read_url(text, hints))
      return reason;
  return read_host_and_port(text, server);
}

ServerMistake parse_servers(std::string_view list, Server* servers, int& count, ServerHints& hints) {
  count = 0;
  for (bool more = true; more;) {
    const auto [text, rest, found] = split_at(list, list.find(','));
    more = found;
    if (count == most_servers)
      return {list, "more servers than 8"};
    if (const char* reason = parse_server(text, servers[count], hints))
      return {text, reason};
    list = rest;
    ++count;
  }
  return {};
}

} // namespace socksify
