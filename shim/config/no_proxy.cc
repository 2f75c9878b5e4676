// SPDX-License-Identifier: MIT
#include "config/no_proxy.h"
#include "base/network.h"
#include "kernel/cookie_map.h"
#include <cstring>
#include <strings.h>

namespace socksify::no_proxy {
namespace {

bool fits(std::string_view entry, const Ip& ip) {
  const auto network = parse_network(entry);
  return network && network->contains(ip);
}

std::string_view without_trailing_dot(std::string_view name) {
  if (name.ends_with('.'))
    name.remove_suffix(1);
  return name;
}

// "example.com" and ".example.com" both mean the name itself and all names below it.
bool fits(std::string_view entry, std::string_view name) {
  entry = without_trailing_dot(entry);
  name = without_trailing_dot(name);
  if (entry.starts_with('.'))
    entry.remove_prefix(1);
  if (entry.empty() || entry.size() > name.size())
    return false;
  const size_t below = name.size() - entry.size();
  return strncasecmp(name.data() + below, entry.data(), entry.size()) == 0 && (below == 0 || name[below - 1] == '.');
}

template <typename Subject> std::string_view first_rule(std::string_view list, const Subject& subject) {
  if (list == "*")
    return list;
  constexpr std::string_view separators = ", \t";
  while (!list.empty()) {
    const auto [entry, rest, found] = split_at(list, list.find_first_of(separators));
    if (fits(entry, subject))
      return entry;
    list = rest;
  }
  return {};
}

// The addresses of names that match.
constinit CookieMap direct;

// An IPv6 address is longer than a key, so two of them may have the same key. The value is the whole address.
uint64_t key_of(const Ip& ip) {
  uint64_t halves[2];
  std::memcpy(halves, ip.bytes, sizeof halves);
  return (halves[0] * 0x9e3779b97f4a7c15) ^ halves[1];
}

} // namespace

std::string_view rule_for(std::string_view list, const Ip& ip) { return first_rule(list, ip); }

std::string_view rule_for(std::string_view list, std::string_view name) { return first_rule(list, name); }

void record(const Ip& ip, bool is_direct) {
  if (is_direct)
    direct.store(key_of(ip), pack(ip));
  else if (!direct.empty())
    direct.erase(key_of(ip));
}

bool is_recorded(const Ip& ip) {
  CookieMap::Value value;
  return !direct.empty() && direct.find(key_of(ip), value) &&
         std::memcmp(unpack<Ip>(value).bytes, ip.bytes, sizeof ip.bytes) == 0;
}

} // namespace socksify::no_proxy
