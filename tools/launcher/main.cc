// SPDX-License-Identifier: MIT
// socksify-exec [OPTION...] COMMAND [ARG...]: what the script socksify cannot do. Reads the settings files, refuses a
// command that cannot be proxied, adds libsocksify.so to LD_PRELOAD and becomes the command. The SOCKS server and all
// other settings are in the environment; the options are those of options.h.
#include "base/settings.h"
#include "launcher/environment.h"
#include "launcher/error.h"
#include "launcher/help.h"
#include "launcher/modes.h"
#include "launcher/settings/settings_files.h"
#include "launcher/settings/settings_text.h"
#include <cstdio>

namespace socksify::launcher {
namespace {

// Tells the library that this program, though static, passes LD_PRELOAD on: see base/elf_file.cc.
[[gnu::section(".socksify"), gnu::used]] constexpr char mark[] = "launcher";

// The library would find the same mistake, but now the user hears of it before anything runs.
void check_servers(const Options& options) {
  const auto servers =
      options.has_server_option ? Variable{"-s", variable("SOCKS_SERVER")} : find_servers(find_variable);
  if (!servers.name && options.with_server == WithServer::no)
    fail({"no SOCKS server: give one with -s HOST[:PORT], or set SOCKS_SERVER"});
  if (servers.name)
    judge_servers(servers.name, servers.value);
}

// The command gets the server by a name that no other software reads: see settings.h.
void hide_server() {
  const auto [name, servers] = find_servers(find_variable);
  const std::string value{servers};
  if (!name || std::string_view{name}.ends_with("_proxy") || std::string_view{name}.ends_with("_PROXY"))
    return;
  set_variable(private_server, value);
  ::unsetenv("SOCKS_SERVER");
  ::unsetenv("SOCKS4_SERVER");
}

[[noreturn]] void launch(const Options& options) {
  const auto library = find_library();
  try {
    read_settings_files(options, library.system_settings);
    check_servers(options);
    hide_server();
    enter_mode(options, library);
  } catch (const Error& error) {
    if (options.mode == Mode::check)
      report_by_checker(options, library, error.text);
    throw;
  }
}

} // namespace
} // namespace socksify::launcher

int main(int, char** words) {
  using namespace socksify::launcher;
  try {
    const auto options = parse_options(*words ? words + 1 : words);
    if (options.mode == Mode::help || options.mode == Mode::version)
      print_and_end(options.mode == Mode::help ? help_text() : version_text());
    launch(options);
  } catch (const Error& error) {
    std::fputs(join({"socksify: ", error.text, "\n"}).c_str(), stderr);
    return error.status;
  }
}
