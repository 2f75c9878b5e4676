// SPDX-License-Identifier: MIT
#include "process/environment.h"
#include "base/settings.h"
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace socksify::environment {
namespace {

constexpr std::string_view preload = "LD_PRELOAD=";

// "NAME=value" of each, one after the other, terminated by NUL.
constinit char ordinary_room[2048];
constinit std::string_view saved;
constinit std::string_view saved_preload;

// Calls visit(name, value) for every variable that is set. The general proxy variables count only while no variable of
// ours names the server.
template <typename Visit> void for_each_setting(Visit visit) {
  const auto visit_if_set = [visit](const char* name) {
    if (const char* value = name ? find(environ, name) : nullptr)
      visit(name, value);
  };
  for (const auto& setting : settings) {
    visit_if_set(setting.name);
    visit_if_set(setting.alias);
  }
  const bool is_general = !find(environ, "SOCKS4_SERVER") && !find(environ, "SOCKS_SERVER");
  for (const char* name : general_proxies)
    visit_if_set(is_general ? name : nullptr);
}

// Where the entry that is this library ends in a list as ld.so reads it, separated by colons or blanks; 0: it is not in
// there. Compared by the last part of the name, because the rest may have $LIB in it.
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

bool is_in(char* const* environment, const char* name) { return name && find(environment, name); }

// True if the new environment has the setting, by either of its names: a program that names a new server does not want
// the old one back by the other name.
bool is_settled(char* const* environment, std::string_view name) {
  for (const auto& setting : settings)
    if (name == setting.name || (setting.alias && name == setting.alias))
      return is_in(environment, setting.name) || is_in(environment, setting.alias);
  return find(environment, name);
}

// Calls visit(entry) for every saved one that is missing.
template <typename Visit> void for_each_missing(char* const* environment, Visit visit) {
  for (const char* entry = saved.data(); entry && entry < saved.data() + saved.size(); entry += std::strlen(entry) + 1)
    if (!is_settled(environment, name_of(entry)))
      visit(entry);
}

// SOCKS_SERVER= is how a program, or who wrote a script, says that nothing is to go through a server.
bool opts_out(char* const* environment) {
  const char* server = find(environment, "SOCKS_SERVER");
  return server && !*server && !find(environment, "SOCKS4_SERVER");
}

// LD_PRELOAD up to our library, which may need what comes before it. Not found out at load: dladdr() reads all symbols.
std::string_view own_libraries() { return {saved_preload.data(), end_of_library(saved_preload)}; }

// True if the loader would not load this library; `own` is what it would load.
bool lacks_library(char* const* environment, const char*& own) {
  own = find(environment, "LD_PRELOAD");
  return !(own && end_of_library(own)) && !own_libraries().empty();
}

bool is(const char* entry, std::string_view prefix) { return std::strncmp(entry, prefix.data(), prefix.size()) == 0; }

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

} // namespace

const char* find(char* const* environment, std::string_view name) {
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
  const char* libraries = find(environ, "LD_PRELOAD");
  const size_t preload_size = libraries ? std::strlen(libraries) : 0;
  char* at = ordinary_room;
  if (size + preload_size > sizeof ordinary_room) {
    void* memory = mmap(nullptr, size + preload_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return;
    at = static_cast<char*>(memory);
  }
  saved = {at, size};
  for_each_setting([&](const char* name, const char* value) {
    at = put(put(put(at, name), "="), value);
    *at++ = '\0';
  });
  saved_preload = {at, preload_size};
  if (preload_size)
    put(at, {libraries, preload_size});
}

Room room_for(char* const* environment, const char* state) {
  Room room;
  if (opts_out(environment))
    return room;
  for_each_missing(environment, [&](const char*) { ++room.entries; });
  const char* own = nullptr;
  if (lacks_library(environment, own)) {
    ++room.entries;
    room.bytes = preload.size() + own_libraries().size() + (own ? std::strlen(own) + 1 : 0) + 1;
  }
  room.entries += state != nullptr;
  if (room.entries || find(environment, state_variable)) {
    for (; environment && *environment; ++environment)
      ++room.entries;
    ++room.entries; // the null at its end
  }
  return room;
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
