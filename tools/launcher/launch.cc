// SPDX-License-Identifier: MIT
// socksify COMMAND [ARG...]: becomes COMMAND with libsocksify.so preloaded, or says in one line why that cannot work.
// What cannot be proxied is not run at all. It is started before every program: no C library, no heap, no loop over
// what is not asked for.
#include "launcher/launch.h"
#include "base/server_list.h"
#include "launcher/files.h"
#include "launcher/help.h"
#include "launcher/library.h"
#include "launcher/modes.h"
#include "launcher/options.h"
#include "launcher/say.h"
#include "launcher/settings.h"
#include "launcher/settings_files.h"
#include "launcher/variables.h"

namespace socksify::launcher {
namespace {

const char* raised(std::string_view level, int by) {
  int number = level.empty() || level == "0" ? 0 : level == "1" ? 1 : 2;
  constexpr const char* levels[] = {"0", "1", "2", "3"};
  number += by;
  return levels[number < 3 ? number : 3];
}

// The library would have nowhere to say that it cannot be written but in the midst of what the program prints.
void set_log_file(const char* file) {
  const std::string_view name{file};
  const char* const path = name == "stderr" ? file : make_absolute(file);
  if (name != "stderr" && !files::can_append(path))
    fail(our_failure, {"-o: '", name, "': cannot be written"});
  variables::set("SOCKS_LOGOUTPUT", path);
}

// Each takes the place of both names of its setting.
void set_either(const char* value, const char* name, const char* other) {
  if (!value)
    return;
  variables::unset(other);
  variables::set(name, value);
}

void apply(const Options& options) {
  set_either(options.servers, "SOCKS_SERVER", "SOCKS4_SERVER");
  set_either(options.userid, "SOCKS_USER", "SOCKS_USERNAME");
  set_either(options.no_proxy, "NO_PROXY", "no_proxy");
  if (options.level)
    variables::set("SOCKS_DEBUG", {&options.level, 1});
  if (options.raised)
    variables::set("SOCKS_DEBUG", raised(variables::value("SOCKS_DEBUG"), options.raised));
  if (options.log_file)
    set_log_file(options.log_file);
}

// The library takes the same, but from here the user can be told before anything runs.
void check_servers(const Options& options) {
  const auto servers = options.servers ? ServerList{"-s", options.servers} : find_servers(variables::find);
  if (!servers.variable && options.companion == Companion::none)
    fail(our_failure, {"no SOCKS server: give one with -s HOST[:PORT], or set SOCKS_SERVER"});
  if (servers.variable)
    if (const auto complaint = judge_servers(servers.variable, servers.text))
      fail("", complaint);
}

} // namespace

void launch(char** arguments, char** environment) {
  Options options;
  char* none = nullptr;
  if (const auto complaint = parse_options(*arguments ? arguments + 1 : &none, options))
    fail("", complaint);
  if (options.mode == Mode::help || options.mode == Mode::version)
    print_and_end(options.mode == Mode::help ? help_text : version_text);
  variables::begin(environment);
  apply(options);
  const auto library = find_library(environment);
  if (options.mode == Mode::check)
    begin_check(options, library);
  read_settings_files(options, library.system_settings);
  check_servers(options);
  enter_mode(options, library, environment);
}

} // namespace socksify::launcher
