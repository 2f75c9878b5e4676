// SPDX-License-Identifier: MIT
#include "launcher/shell_text.h"
#include "base/settings.h"
#include "launcher/environment.h"

namespace socksify::launcher {
namespace {

// One word for the shell.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text)
    result += c == '\'' ? std::string_view{"'\\''"} : std::string_view{&c, 1};
  return result + "'";
}

std::string assignment(const char* name, std::string_view value) {
  return std::string("export ") + name + "=" + quoted(value) + "\n";
}

// If an option has replaced one of a setting's two names by the other, the shell must not keep the replaced one.
std::string text_of(const char* name, const char* other) {
  if (const char* const value = name ? find_variable(name) : nullptr)
    return assignment(name, value);
  return name && other && find_variable(other) ? std::string("unset ") + name + "\n" : "";
}

} // namespace

std::string environment_text(const std::string& preload) {
  std::string text;
  for (const auto& setting : settings)
    text += text_of(setting.name, setting.alias) + text_of(setting.alias, setting.name);
  if (const char* const servers = find_variable(private_server))
    text += assignment(private_server, servers) + "unset SOCKS_SERVER SOCKS4_SERVER\n";
  return text + assignment("LD_PRELOAD", preload);
}

} // namespace socksify::launcher
