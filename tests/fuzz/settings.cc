// SPDX-License-Identifier: MIT
// A settings file: whatever it contains, the library accepts every setting that is taken from it.
#include "fuzz.h"
#include "launcher/error.h"
#include "launcher/settings/settings_text.h"
#include <algorithm>
#include <map>
#include <string>

using namespace socksify;

namespace {

std::map<std::string, std::string, std::less<>> taken;

const char* look_up(const char* variable) {
  const auto found = taken.find(std::string_view(variable));
  return found != taken.end() ? found->second.c_str() : nullptr;
}

// Reads all settings. True if a mistake ends the text.
bool take(launcher::SettingsText& lines) try {
  unsigned line = 0;
  for (launcher::Assignment assignment; lines.next(assignment); line = lines.line()) {
    HOLDS(lines.line() > line);
    HOLDS(assignment.value.find('\n') == std::string::npos);
    HOLDS(taken.emplace(assignment.setting->name, assignment.value).second); // no setting twice
  }
  return false;
} catch (const launcher::Error& error) {
  HOLDS(!error.text.empty());
  return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  launcher::SettingsText text({reinterpret_cast<const char*>(data), size});
  taken.clear();
  const bool has_mistake = take(text);
  const auto most = static_cast<unsigned>(std::count(data, data + size, '\n')) + 1;
  HOLDS(text.line() <= most);
  HOLDS(!has_mistake || text.line() > 0);

  // The library finds no mistake in any setting, nor in all of them together.
  taken.emplace("SOCKS_SERVER", "server");
  Config config;
  parse_config(look_up, config);
  HOLDS(config.active && !config.mistake.variable);
  return 0;
}
