// SPDX-License-Identifier: MIT
#include "base/no_proxy_list.h"
#include "base/network.h"
#include "base/text.h"

namespace socksify {
namespace {

constexpr std::string_view separators = ", \t";

bool has(std::string_view text, char c) { return text.find(c) != text.npos; }

// Two colons at least are an IPv6 address.
bool has_port(std::string_view entry) {
  const size_t colon = entry.find(':');
  return colon != entry.npos && colon == entry.rfind(':');
}

// No name has a colon, or a number as its last label: "10.1" and "1:2:3" are parts of addresses.
bool is_numeric(std::string_view entry) {
  std::string_view label = entry;
  label.remove_prefix(entry.rfind('.') + 1);
  return has(entry, ':') || (!label.empty() && label.find_first_not_of("0123456789") == label.npos);
}

} // namespace

const char* why_dead(std::string_view entry) {
  return has(entry, '*')                              ? "* stands only for everything; .example is all of a domain"
         : has(entry, '[')                            ? "addresses have no brackets here"
         : entry.find("://") != entry.npos            ? "entries are not URLs"
         : has_port(entry)                            ? "entries have no port"
         : has(entry, '/') && !parse_network(entry)   ? "it is not ADDRESS/BITS"
         : is_numeric(entry) && !parse_network(entry) ? "it is not a whole address"
                                                      : nullptr;
}

std::string_view next_dead_entry(std::string_view& list) {
  if (list == "*")
    list = {};
  while (!list.empty()) {
    const auto [entry, rest, found] = split_at(list, list.find_first_of(separators));
    list = rest;
    if (why_dead(entry))
      return entry;
  }
  return {};
}

} // namespace socksify
