// SPDX-License-Identifier: MIT
// The environment, one line per variable. Whatever it contains, there is a configuration, and no connection is direct
// unless the environment says so.
#include "config/config.h"
#include "config/route.h"
#include "fuzz.h"
#include <map>
#include <string>

using namespace socksify;

namespace {

std::map<std::string, std::string, std::less<>> variables;

const char* look_up(const char* variable) {
  const auto found = variables.find(std::string_view(variable));
  return found == variables.end() ? nullptr : found->second.c_str();
}

void read(std::string_view lines) {
  variables.clear();
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    const size_t equals = line.find('=');
    if (equals != line.npos)
      variables[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1)).c_str();
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read({reinterpret_cast<const char*>(data), size});
  Config config;
  parse_config(look_up, config);
  HOLDS(config.server_count >= 0 && config.server_count <= most_servers);
  HOLDS(!config.active || config.mistake.variable || config.server_count > 0);
  for (int i = 0; i < config.server_count; ++i)
    HOLDS(config.mistake.variable || !config.servers[i].host.view().empty());

  const Route way = route(config, {Ip::from(0xc0000201), 80});
  const Route otherwise = config.mistake.variable ? Route::denied : Route::proxy;
  HOLDS(way == (config.active ? otherwise : Route::direct) || (way == Route::direct && !config.no_proxy.empty()));
  is_direct_name(config, "www.example.org");
  is_direct_name(config, std::string_view(reinterpret_cast<const char*>(data), std::min<size_t>(size, 255)));
  return 0;
}
