// SPDX-License-Identifier: MIT
#include "process/environment.h"
#include "base/settings.h"
#include "kernel/mapping.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

namespace socksify::environment {
namespace {

constexpr std::string_view preload = "LD_PRELOAD=";

constinit struct {
  std::string_view settings;  // "NAME=value" of each, terminated by NUL
  std::string_view libraries; // the value of LD_PRELOAD
  char buffer[2048]{};        // for both; a mapping if they are longer
} saved;

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
  const bool is_general = !getenv("SOCKS4_SERVER") && !getenv("SOCKS_SERVER");
  for (const char* name : general_proxies)
    visit_if_set(is_general ? name : nullptr);
}

// Finds this library in a list that ld.so reads, separated by colons or blanks. Returns the end of its entry, or 0.
// Only the base names are compared, because the directory may contain $LIB.
size_t end_of_library(std::string_view list) {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void*>(&save), &info) || !info.dli_fname)
    return 0;
  const char* slash = std::strrchr(info.dli_fname, '/');
  const std::string_view name{slash ? slash + 1 : info.dli_fname};
  for (size_t at = 0; at < list.size();) {
    size_t end = list.find_first_of(": ", at);
    end = end == list.npos ? list.size() : end;
    const std::string_view entry{list.data() + at, end - at};
    const bool is_whole =
        entry.size() == name.size() || (entry.size() > name.size() && entry[entry.size() - name.size() - 1] == '/');
    if (is_whole && entry.ends_with(name))
      return end;
    at = end + 1;
  }
  return 0;
}

std::string_view name_of(std::string_view entry) { return split_at(entry, entry.find('=')).before; }

bool is_in(char* const* environment, const char* name) { return name && value_of(environment, name); }

// True if the new environment has the setting, by either of its names: a program that names a new server does not want
// the old one back by the other name.
bool is_settled(char* const* environment, std::string_view name) {
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

// An empty SOCKS_SERVER is how a program or script asks for direct connections.
bool opts_out(char* const* environment) {
  const char* server = value_of(environment, "SOCKS_SERVER");
  return server && !*server && !value_of(environment, "SOCKS4_SERVER");
}

// LD_PRELOAD up to and including this library, which may need those before it. Not computed at load, because dladdr()
// reads all symbols.
std::string_view own_libraries() { return {saved.libraries.data(), end_of_library(saved.libraries)}; }

// True if ld.so would not load this library. `own` is the value of LD_PRELOAD.
bool lacks_library(char* const* environment, const char*& own) {
  own = value_of(environment, "LD_PRELOAD");
  return !(own && end_of_library(own)) && !own_libraries().empty();
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

} // namespace

const char* value_of(char* const* environment, std::string_view name) {
  for (; environment && *environment; ++environment) {
    const char* entry = *environment;
    if (entry[0] == name[0] && std::strncmp(entry, name.data(), name.size()) == 0 && entry[name.size()] == '=')
      return entry + name.size() + 1;
  }
  return nullptr;
}

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

Size size_for(char* const* environment, const char* state) {
  Size needed;
  if (opts_out(environment))
    return needed;
  for_each_missing(environment, [&](const char*) { ++needed.entries; });
  const char* own = nullptr;
  if (lacks_library(environment, own)) {
    ++needed.entries;
    needed.bytes = preload.size() + own_libraries().size() + (own ? std::strlen(own) + 1 : 0) + 1;
  }
  needed.entries += state != nullptr;
  if (needed.entries || value_of(environment, state_variable))
    needed.entries += count_entries(environment) + 1; // and the null at the end
  return needed;
}

char** complete(char* const* environment, const char* state, char** entries, char* bytes) {
  char** next = entries;
  const char* own = nullptr;
  const bool lacks = lacks_library(environment, own);
  for (char* const* entry = environment; entry && *entry; ++entry)
    if (!(lacks && is(*entry, preload)) && name_of(*entry) != state_variable)
      *next++ = *entry;
  for_each_missing(environment, [&](const char* entry) { *next++ = const_cast<char*>(entry); });
  if (state)
    *next++ = const_cast<char*>(state);
  if (lacks) {
    *next++ = bytes;
    bytes = put(put(bytes, preload), own_libraries());
    if (own && *own)
      bytes = put(put(bytes, ":"), own);
    *bytes = '\0';
  }
  *next = nullptr;
  return entries;
}

} // namespace socksify::environment
