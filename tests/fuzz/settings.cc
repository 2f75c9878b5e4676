// SPDX-License-Identifier: MIT
// A file of settings: whatever it says, what is taken from it is a setting that the library understands.
#include "launcher/settings.h"
#include "config/config.h"
#include "fuzz.h"
#include <algorithm>
#include <cstring>
#include <map>
#include <string>

using namespace socksify;

namespace {

std::map<std::string, std::string, std::less<>> taken;

const char* look_up(const char* variable) {
  const auto found = taken.find(std::string_view(variable));
  return found != taken.end() ? found->second.c_str() : nullptr;
}

bool is_within(const char* value, std::string_view text) {
  return value >= text.data() && value + std::strlen(value) <= text.data() + text.size();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  launcher::Settings settings(text.data(), size);
  taken.clear();
  unsigned line = 0;
  for (launcher::Setting setting; settings.next(setting); line = settings.line()) {
    HOLDS(settings.line() > line);
    HOLDS(is_within(setting.value, text));
    HOLDS(!std::strchr(setting.value, '\n'));
    HOLDS(taken.emplace(setting.name, setting.value).second); // none twice
  }
  const auto lines = static_cast<unsigned>(std::count(data, data + size, '\n')) + 1;
  HOLDS(settings.line() <= lines);
  HOLDS(!settings.complaint() || settings.line() > line);

  // No setting by itself, and not all of it together, is a mistake to the library.
  taken.emplace("SOCKS_SERVER", "server");
  Config config;
  parse_config(look_up, config);
  HOLDS(config.active && !config.mistake.variable);
  return 0;
}
