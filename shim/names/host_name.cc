// SPDX-License-Identifier: MIT
#include "names/host_name.h"
#include "base/socks4.h"
#include <algorithm>

namespace socksify::host_name {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Underscores are allowed, as in the C library. What is not ASCII is left to the server.
bool is_allowed(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || (c & 0x80); }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), is_allowed);
}

bool is_number(std::string_view label) { return std::all_of(label.begin(), label.end(), is_digit); }

bool is_name(std::string_view text) {
  for (;;) {
    const auto [label, rest, found] = split_at(text, text.find('.'));
    if (!is_label(label))
      return false;
    if (!found)
      return !is_number(label);
    text = rest;
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; }

} // namespace

std::optional<Name> normalized(std::string_view text) {
  if (text.ends_with('.'))
    text.remove_suffix(1);
  if (text.size() > socks4::max_host || !is_name(text))
    return std::nullopt;
  Name name;
  for (const char c : text)
    name.add(lower(c));
  return name;
}

} // namespace socksify::host_name
