// SPDX-License-Identifier: MIT
#include "text.h"
#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>

namespace differential {
namespace {

std::map<std::string, sockaddr_in> partners;

struct Name {
  const char* name;
  uint32_t bits;
};

constexpr Name events[] = {{"IN", EPOLLIN},         {"PRI", EPOLLPRI},  {"OUT", EPOLLOUT},     {"ERR", EPOLLERR},
                           {"HUP", EPOLLHUP},       {"NVAL", POLLNVAL}, {"RDHUP", EPOLLRDHUP}, {"RDNORM", EPOLLRDNORM},
                           {"WRNORM", EPOLLWRNORM}, {"ET", 1U << 31},   {"ONESHOT", 1U << 30}, {"EXCLUSIVE", 1U << 28}};

constexpr Name flags[] = {{"PEEK", MSG_PEEK},   {"DONTWAIT", MSG_DONTWAIT}, {"NOSIGNAL", MSG_NOSIGNAL},
                          {"TRUNC", MSG_TRUNC}, {"WAITALL", MSG_WAITALL},   {"FASTOPEN", MSG_FASTOPEN},
                          {"MORE", MSG_MORE},   {"ERRQUEUE", MSG_ERRQUEUE}};

template <size_t N> uint32_t bits_of(const Name (&names)[N], std::string_view words) {
  uint32_t bits = 0;
  while (!words.empty()) {
    const auto end = std::min(words.find('|'), words.size());
    for (const Name& name : names)
      if (words.substr(0, end) == name.name)
        bits |= name.bits;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return bits;
}

// The IPv4 address of either family; false for an IPv6 address that is not v4-mapped.
bool as_ipv4(const sockaddr_storage& address, sockaddr_in& v4) {
  std::memcpy(&v4, &address, sizeof v4);
  if (address.ss_family == AF_INET)
    return true;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  if (address.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
    return false;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], 4);
  return true;
}

// The name of the partner at this IP and port, or "app" for another port of that IP.
std::string partner_text(const sockaddr_in& address) {
  std::string found;
  for (const auto& [name, partner] : partners)
    if (partner.sin_addr.s_addr == address.sin_addr.s_addr)
      found = partner.sin_port == address.sin_port ? name : found.empty() ? "app" : found;
  return found;
}

std::string port_text(in_port_t port) { return port ? ":port" : ":0"; }

} // namespace

std::string errno_name(int error) { return error ? strerrorname_np(error) : "0"; }

std::string events_text(uint32_t bits) {
  std::string text;
  for (const Name& event : events)
    if (bits & event.bits)
      text += (text.empty() ? "" : "|") + std::string{event.name};
  return text.empty() ? "nothing" : text;
}

uint32_t events_of(std::string_view names) { return bits_of(events, names); }
int flags_of(std::string_view names) { return static_cast<int>(bits_of(flags, names)); }

std::string address_text(const sockaddr_storage& address) {
  const std::string family = address.ss_family == AF_INET6 ? "v6 " : "";
  sockaddr_in v4;
  if (!as_ipv4(address, v4)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    if (address.ss_family != AF_INET6)
      return "family " + std::to_string(address.ss_family);
    return family + (IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) && !v6.sin6_port ? "any" : "local") +
           port_text(v6.sin6_port);
  }
  const std::string partner = partner_text(v4);
  const bool is_any = v4.sin_addr.s_addr == INADDR_ANY && !v4.sin_port;
  return family + (partner.empty() ? (is_any ? "any" : "local") + port_text(v4.sin_port) : partner);
}

bool address_of(std::string_view name, int family, sockaddr_storage& address, socklen_t& length) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  const auto partner = partners.find(std::string{name == "taken" ? "echo" : name});
  if (partner != partners.end())
    v4 = partner->second;
  else if (name == "loop")
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else if (name != "any")
    return false;
  address = {};
  length = sizeof v4;
  std::memcpy(&address, &v4, sizeof v4);
  if (family != AF_INET6)
    return true;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = v4.sin_port;
  if (name != "any") {
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(&v6.sin6_addr.s6_addr[12], &v4.sin_addr, 4);
  }
  length = sizeof v6;
  std::memcpy(&address, &v6, sizeof v6);
  return true;
}

void read_partners() {
  const char* list = std::getenv("PARTNERS");
  char name[32], ip[32];
  unsigned port;
  for (int used = 0; list && std::sscanf(list, " %31[a-z]=%31[0-9.]:%u%n", name, ip, &port, &used) == 3; list += used) {
    sockaddr_in& partner = partners[name];
    partner.sin_family = AF_INET;
    partner.sin_port = htons(static_cast<in_port_t>(port));
    inet_pton(AF_INET, ip, &partner.sin_addr);
  }
}

} // namespace differential
