// SPDX-License-Identifier: MIT
#include "launcher/help.h"
#include "base/settings.h"

namespace socksify::launcher {
namespace {

constexpr const char* usage = R"text(usage: socksify [OPTION...] [--] COMMAND [ARG...]
       socksify [OPTION...] --check [--json] [COMMAND [ARG...]]
       socksify [OPTION...] --shell | --env
Run COMMAND with its TCP connections going through a SOCKS4 server.

  -s SERVER      HOST[:PORT], socks4://[USER@]HOST[:PORT], socks4a://... or unix:/PATH; several are separated by commas
                 (default: $SOCKS_SERVER, or the settings files)
  --local        start a SOCKS server on this host for COMMAND, and use it
  --ssh GATEWAY  log in to GATEWAY with ssh -D for as long as COMMAND runs, and use that
  -u USER        the userid to send to the server (default: the login name)
  -n LIST        what to connect to directly, as in $NO_PROXY
  -v             log to stderr; -vv logs more, -vvv everything
  -d LEVEL       the same, as a number from 0 to 3
  -o FILE        append the log to FILE instead
  --check        report what works and what does not, one line each; with --json for machines
  --shell        run a shell ($SHELL) whose programs all go through the server
  --env          print the settings for eval "$(socksify --env)"
  --help, --version

In the environment, and in the settings files ~/.config/socksify/config and /etc/socksify.conf:

)text";

std::string line_of(const Setting& setting) {
  constexpr size_t column = 21;
  std::string line = std::string("  ") + setting.name;
  line.resize(std::max(line.size() + 1, column), ' ');
  return line + setting.help + "\n";
}

} // namespace

std::string help_text() {
  std::string text = usage;
  for (const auto& setting : settings)
    if (!(setting.traits & not_in_files))
      text += line_of(setting);
  return text;
}

std::string version_text() { return "socksify " VERSION "\n"; }

} // namespace socksify::launcher
