// SPDX-License-Identifier: MIT
#include "process/environment.h"
#include "base/executable/program.h"
#include "base/settings.h"
#include "kernel/mapping.h"
#include "process/own_library.h"
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace socksify::environment {
namespace {

constexpr std::string_view preload = "LD_PRELOAD=";

constinit struct {
  std::string_view settings;  // "NAME=value" of each, terminated by NUL
  std::string_view libraries; // the value of LD_PRELOAD
  char buffer[2048]{};        // for both; a mapping if they are longer
} saved;

bool names_server(char* const* environment) {
  for (const char* name : {"SOCKS4_SERVER", "SOCKS_SERVER", private_server})
    if (value_of(environment, name))
      return true;
  return false;
}

// Calls visit(name, value) for every variable that is set. The general proxy variables count only while no variable of
// ours names the server.
template <typename Visit> void for_each_setting(Visit visit) {
  const auto visit_if_set = [visit](const char* name) {
    if (const char* value = name ? getenv(name) : nullptr)
      visit(name, value);
  };
  for (const auto& setting : settings) {
    visit_if_set(setting.name);
    visit_if_set(setting.alias);
  }
  visit_if_set(private_server);
  const bool is_general = !names_server(environ);
  for (const char* name : general_proxies)
    visit_if_set(is_general ? name : nullptr);
}

std::string_view name_of(std::string_view entry) { return split_at(entry, entry.find('=')).before; }

bool is_in(char* const* environment, const char* name) { return name && value_of(environment, name); }

// True if the new environment has the setting, by either of its names: a program that names a new server does not want
// the old one back by the other name.
bool is_settled(char* const* environment, std::string_view name) {
  if (name == "SOCKS4_SERVER" || name == "SOCKS_SERVER" || name == private_server)
    return names_server(environment);
  for (const auto& setting : settings)
    if (name == setting.name || (setting.alias && name == setting.alias))
      return is_in(environment, setting.name) || is_in(environment, setting.alias);
  return value_of(environment, name);
}

// Calls visit(entry) for every saved entry that is missing.
template <typename Visit> void for_each_missing(char* const* environment, Visit visit) {
  const char* const end = saved.settings.data() + saved.settings.size();
  for (const char* entry = saved.settings.data(); entry < end; entry += std::strlen(entry) + 1)
    if (!is_settled(environment, name_of(entry)))
      visit(entry);
}

// LD_PRELOAD in parts: "SANITIZER::MISSING:GIVEN".
struct Preload {
  std::string_view sanitizer; // that the new program needs
  std::string_view missing;   // this library, and what comes before it
  std::string_view given;
  bool changes = false;

  size_t size() const { return preload.size() + sanitizer.size() + 2 + missing.size() + 1 + given.size() + 1; }
};

// How far a sanitizer's runtime that was put there for another program reaches.
size_t end_of_sanitizer(std::string_view list) {
  const size_t colon = list.find(':');
  const bool is_marked = colon < list.size() - 1 && colon != list.npos && list[colon + 1] == ':';
  return is_marked && names_sanitizer(list) ? colon + 2 : 0;
}

Preload preload_for(char* const* environment, std::string_view sanitizer) {
  const char* const value = value_of(environment, "LD_PRELOAD");
  Preload result;
  result.given = value ? value : "";
  if (const size_t end = end_of_sanitizer(result.given); !result.given.starts_with(sanitizer) || sanitizer.empty()) {
    result.given.remove_prefix(end);
    result.sanitizer = sanitizer;
    result.changes = end || !sanitizer.empty();
  }
  if (!own_library::end_in(result.given))
    result.missing = own_libraries();
  result.changes |= !result.missing.empty();
  return result;
}

size_t count_entries(char* const* environment) {
  size_t count = 0;
  while (environment && environment[count])
    ++count;
  return count;
}

bool is(const char* entry, std::string_view prefix) { return std::strncmp(entry, prefix.data(), prefix.size()) == 0; }

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

void put_preload(char* at, const Preload& libraries) {
  at = put(at, preload);
  if (!libraries.sanitizer.empty())
    at = put(put(at, libraries.sanitizer), "::");
  at = put(at, libraries.missing);
  if (!libraries.missing.empty() && !libraries.given.empty())
    at = put(at, ":");
  *put(at, libraries.given) = '\0';
}

} // namespace

const char* value_of(char* const* environment, std::string_view name) {
  for (; environment && *environment; ++environment) {
    const char* entry = *environment;
    if (entry[0] == name[0] && std::strncmp(entry, name.data(), name.size()) == 0 && entry[name.size()] == '=')
      return entry + name.size() + 1;
  }
  return nullptr;
}

bool opts_out(char* const* environment) {
  const char* server = value_of(environment, "SOCKS_SERVER");
  server = server ? server : value_of(environment, private_server);
  return server && !*server && !value_of(environment, "SOCKS4_SERVER");
}

std::string_view own_libraries() { return {saved.libraries.data(), own_library::end_in(saved.libraries)}; }

void save() {
  size_t size = 0;
  for_each_setting([&](const char* name, const char* value) { size += std::strlen(name) + std::strlen(value) + 2; });
  const char* libraries = getenv("LD_PRELOAD");
  const size_t preload_size = libraries ? std::strlen(libraries) : 0;
  const size_t total = size + preload_size;
  auto* at = total > sizeof saved.buffer ? static_cast<char*>(map_memory(total)) : saved.buffer;
  if (!at)
    return;
  saved.settings = {at, size};
  for_each_setting([&](const char* name, const char* value) {
    at = put(put(put(at, name), "="), value);
    *at++ = '\0';
  });
  saved.libraries = {at, preload_size};
  if (preload_size)
    put(at, {libraries, preload_size});
}

Size size_for(char* const* environment, const Additions& additions) {
  Size needed;
  if (opts_out(environment))
    return needed;
  for_each_missing(environment, [&](const char*) { ++needed.entries; });
  if (const auto libraries = preload_for(environment, additions.sanitizer); libraries.changes) {
    ++needed.entries;
    needed.bytes = libraries.size();
  }
  needed.entries += additions.state != nullptr;
  if (needed.entries || value_of(environment, state_variable))
    needed.entries += count_entries(environment) + 1; // and the null at the end
  return needed;
}

char** complete(char* const* environment, const Additions& additions, char** entries, char* bytes) {
  char** next = entries;
  const auto libraries = preload_for(environment, additions.sanitizer);
  for (char* const* entry = environment; entry && *entry; ++entry)
    if (!(libraries.changes && is(*entry, preload)) && name_of(*entry) != state_variable)
      *next++ = *entry;
  for_each_missing(environment, [&](const char* entry) { *next++ = const_cast<char*>(entry); });
  if (additions.state)
    *next++ = const_cast<char*>(additions.state);
  if (libraries.changes) {
    *next++ = bytes;
    put_preload(bytes, libraries);
  }
  *next = nullptr;
  return entries;
}

} // namespace socksify::environment
