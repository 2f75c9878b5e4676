// SPDX-License-Identifier: MIT
#include "servers.h"
#include "config.h"
#include "fd.h"
#include "format.h"
#include "real.h"
#include "wait.h"
#include <atomic>
#include <cerrno>
#include <netdb.h>
#include <sys/un.h>

namespace socksify {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; }

// Not by strncasecmp(), which asks the locale: two more pages of libc at the start of every process.
bool has_scheme(std::string_view url, std::string_view scheme) {
  if (url.size() <= scheme.size())
    return false;
  for (size_t i = 0; i < scheme.size(); ++i)
    if (lower(url[i]) != scheme[i])
      return false;
  return true;
}

bool is_host(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  };
  for (char c : host)
    if (!allowed(c))
      return false;
  return !host.empty();
}

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// As curl decodes it: %XX is a byte; without two digits a % is itself.
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
    userid.append(FMT_COMPILE("{}"), byte);
  }
  return nullptr;
}

// The part of a URL before its host; like curl, SOCKS4 has no use for a password.
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

const char* parse_unix(std::string_view path, Server& server) {
  if (!path.starts_with('/'))
    return "the path of a Unix socket has to begin with /";
  if (path.size() >= sizeof sockaddr_un{}.sun_path)
    return "too long for the path of a Unix socket";
  server.is_unix = true;
  server.host.clear();
  server.host.append(FMT_COMPILE("{}"), path);
  return nullptr;
}

std::optional<uint32_t> resolve(const char* host) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (REAL(getaddrinfo)(host, nullptr, &hints, &list) != 0 || !list)
    return std::nullopt;
  const auto found = IpPort::from(list->ai_addr, list->ai_addrlen);
  freeaddrinfo(list);
  if (!found)
    return std::nullopt;
  return found->ip.ipv4();
}

} // namespace

bool is_socks4_url(std::string_view url) { return has_scheme(url, "socks4://") || has_scheme(url, "socks4a://"); }

const char* parse_server(std::string_view text, Server& server, ServerHints& hints) {
  if (has_scheme(text, "unix:"))
    return parse_unix({text.data() + 5, text.size() - 5}, server);
  if (const size_t scheme = text.find("://"); scheme != text.npos) {
    if (!is_socks4_url(text))
      return "SOCKS4 only: the scheme has to be socks4:// or socks4a://";
    (has_scheme(text, "socks4a://") ? hints.is_socks4a : hints.is_socks4) = true;
    text.remove_prefix(scheme + 3);
    if (const char* reason = read_authority(text, hints))
      return reason;
  }
  if (text.starts_with('['))
    return "an IPv6 address: SOCKS4 servers are reached by IPv4";
  const auto [host, port_text, has_port] = split_at(text, text.find(':'));
  if (has_port) {
    const auto port = parse_number(port_text, 1, 65535);
    if (!port)
      return "the port has to be a number from 1 to 65535";
    server.port = static_cast<uint16_t>(*port);
  }
  if (!is_host(host))
    return "not host[:port], socks4://[user@]host[:port] or unix:/path";
  if (host.size() >= 256)
    return "too long";
  server.host.clear();
  server.host.append(FMT_COMPILE("{}"), host);
  return nullptr;
}

namespace servers {
namespace {

constexpr int64_t rest_of_unreached = 30'000; // milliseconds

constinit std::atomic<uint32_t> known[most]{};
constinit std::atomic<int64_t> resting_until[most]{};

// An address that is written as one, or has been looked up.
uint32_t known_ip(int number) {
  uint32_t ip = known[number].load(std::memory_order_relaxed);
  if (ip != 0 || config().servers[number].is_unix)
    return ip;
  ip = parse_ipv4(config().servers[number].host.view()).value_or(0);
  known[number].store(ip, std::memory_order_relaxed);
  return ip;
}

} // namespace

std::optional<Endpoint> endpoint(int number) {
  const Server& server = config().servers[number];
  uint32_t ip = known_ip(number);
  if (ip == 0 && !server.is_unix) {
    KeepErrno keep;
    ip = resolve(server.host.c_str()).value_or(0);
    known[number].store(ip, std::memory_order_relaxed);
  }
  if (ip == 0)
    return std::nullopt;
  return Endpoint{ip, server.port};
}

bool any_unix() {
  for (int number = 0; number < config().server_count; ++number)
    if (config().servers[number].is_unix)
      return true;
  return false;
}

bool includes(Endpoint address) {
  for (int number = 0; number < config().server_count; ++number)
    if (address.port == config().servers[number].port && address.ip != 0 && known_ip(number) == address.ip)
      return true;
  return false;
}

int next(unsigned tried) {
  int resting = -1;
  for (int number = 0; number < config().server_count; ++number) {
    if (tried & 1u << number)
      continue;
    const int64_t until = resting_until[number].load(std::memory_order_relaxed);
    if (until == 0 || Deadline::at(until).left() == 0)
      return number;
    if (resting < 0)
      resting = number;
  }
  return resting;
}

void note_unreached(int number) {
  if (config().server_count > 1)
    resting_until[number].store(Deadline::after(rest_of_unreached).when(), std::memory_order_relaxed);
}

bool is_unreached(int error) {
  switch (error) {
  case ECONNREFUSED:
  case ETIMEDOUT:
  case EHOSTUNREACH:
  case ENETUNREACH:
  case EHOSTDOWN:
  case ENETDOWN:
  case ECONNRESET: // a firewall's answer to a SYN
  case ENOENT:     // of a Unix socket, and these
  case EACCES:
  case EPERM:
  case ENOTSOCK:
  case ENOTDIR:
  case EAGAIN:
    return true;
  }
  return false;
}

} // namespace servers
} // namespace socksify
