// SPDX-License-Identifier: MIT
#include "launcher/settings_files.h"
#include "base/server_list.h"
#include "launcher/files.h"
#include "launcher/say.h"
#include "launcher/settings.h"
#include "launcher/variables.h"

namespace socksify::launcher {
namespace {

constexpr size_t largest = 65536;

// "All paths set in these environment variables must be absolute. If an implementation encounters a relative path [...]
// it should consider the path invalid and ignore it." (XDG Base Directory Specification)
const char* users_file() {
  const auto folder = variables::value("XDG_CONFIG_HOME"), home = variables::value("HOME");
  if (folder.starts_with('/'))
    return join({folder, "/socksify/config"});
  return join({home.empty() ? "/nonexistent" : home, "/.config/socksify/config"});
}

bool is_set(const char* name) { return variables::find(name); }

// An empty variable is a value, too, other than for the server, where it means none. The userid of a URL belongs to its
// server. `servers` are those that were named before this file.
bool is_overridden(const Options& options, std::string_view servers, const char* setting) {
  const std::string_view name{setting};
  if (name == "SOCKS_SERVER")
    return !servers.empty() || options.companion != Companion::none;
  if (name == "SOCKS_USER") {
    const size_t scheme = servers.find("://");
    return (scheme != servers.npos && servers.find('@', scheme) != servers.npos) || is_set("SOCKS_USER") ||
           is_set("SOCKS_USERNAME");
  }
  if (name == "NO_PROXY" && is_set("no_proxy"))
    return true;
  return is_set(setting);
}

// "FILE:LINE: "
const char* place(const char* path, unsigned line) {
  char digits[10], *begin = digits + sizeof digits;
  for (; line; line /= 10)
    *--begin = static_cast<char>('0' + line % 10);
  return join({path, ":", {begin, static_cast<size_t>(digits + sizeof digits - begin)}, ": "});
}

void read(const Options& options, const char* path) {
  const auto content = files::read_whole(path, largest);
  if (content.reason)
    fail(our_failure, {path, ": cannot be read: ", content.reason});
  if (!content.text)
    return;
  const auto servers = find_servers(variables::find).text;
  Settings settings(content.text, content.size);
  for (Setting setting; settings.next(setting);)
    if (!is_overridden(options, servers, setting.name))
      variables::set(setting.name, setting.value);
  if (settings.complaint())
    fail(place(path, settings.line()), settings.complaint());
}

} // namespace

void read_settings_files(const Options& options, const char* system_file) {
  const auto chosen = variables::find("SOCKSIFY_CONFIG");
  read(options, users_file());
  read(options, chosen && *chosen ? chosen : system_file);
}

} // namespace socksify::launcher
