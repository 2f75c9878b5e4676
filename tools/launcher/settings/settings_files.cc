// SPDX-License-Identifier: MIT
#include "launcher/settings/settings_files.h"
#include "base/settings.h"
#include "launcher/environment.h"
#include "launcher/error.h"
#include "launcher/settings/file.h"
#include "launcher/settings/settings_text.h"

namespace socksify::launcher {
namespace {

// "All paths set in these environment variables must be absolute. If an implementation encounters a relative path [...]
// it should consider the path invalid and ignore it." (XDG Base Directory Specification)
std::string users_file() {
  const auto folder = variable("XDG_CONFIG_HOME"), home = variable("HOME");
  if (folder.starts_with('/'))
    return join({folder, "/socksify/config"});
  return join({home.empty() ? "/nonexistent" : home, "/.config/socksify/config"});
}

bool has_userid(std::string_view servers) {
  const size_t scheme = servers.find("://");
  return scheme != servers.npos && servers.find('@', scheme) != servers.npos;
}

// An empty variable overrides a file, too, except for the server, where it means that there is none. The userid of a
// URL belongs to its server. `servers` is what was known before this file.
bool is_overridden(const Options& options, std::string_view servers, const Setting& setting) {
  const std::string_view name{setting.name};
  if (name == "SOCKS_SERVER")
    return !servers.empty() || options.with_server != WithServer::no;
  if (name == "SOCKS_USER" && has_userid(servers))
    return true;
  return find_variable(setting.name) || (setting.alias && find_variable(setting.alias));
}

void read(const Options& options, const std::string& path) {
  const auto text = read_whole(path);
  if (!text)
    return;
  const std::string servers{find_servers(find_variable).value};
  SettingsText lines(*text);
  try {
    for (Assignment assignment; lines.next(assignment);)
      if (!is_overridden(options, servers, *assignment.setting))
        set_variable(assignment.setting->name, assignment.value);
  } catch (const Error& error) {
    fail({path, ":", std::to_string(lines.line()), ": ", error.text});
  }
}

} // namespace

void read_settings_files(const Options& options, const std::string& system_file) {
  const std::string chosen{variable("SOCKSIFY_CONFIG")};
  read(options, users_file());
  read(options, chosen.empty() ? system_file : chosen);
}

} // namespace socksify::launcher
