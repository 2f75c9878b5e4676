// SPDX-License-Identifier: MIT
#include "launcher/variables.h"
#include "launcher/memory.h"

namespace socksify::launcher::variables {
namespace {

constexpr size_t most_added = 32; // all settings, and what --shell needs

constinit char** entries = nullptr;

bool is(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name);
}

} // namespace

void begin(char** environment) {
  size_t count = 0;
  while (environment[count])
    ++count;
  entries = static_cast<char**>(allocate((count + most_added + 1) * sizeof *entries));
  for (size_t i = 0; i <= count; ++i)
    entries[i] = environment[i];
}

const char* find(const char* name) {
  const std::string_view wanted{name};
  for (char** entry = entries; *entry; ++entry)
    if (**entry == *name && is(*entry, wanted))
      return *entry + wanted.size() + 1;
  return nullptr;
}

std::string_view value(const char* name) {
  const char* const found = find(name);
  return found ? found : "";
}

void set(std::string_view name, std::string_view value) {
  char* const text = join({name, "=", value});
  unset(name);
  char** end = entries;
  while (*end)
    ++end;
  *end++ = text;
  *end = nullptr;
}

void unset(std::string_view name) {
  char** kept = entries;
  for (char** entry = entries; *entry; ++entry)
    if (!is(*entry, name))
      *kept++ = *entry;
  *kept = nullptr;
}

char** all() { return entries; }

} // namespace socksify::launcher::variables
