// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

namespace socksify::launcher {

inline constexpr std::string_view version_text = "socksify " VERSION "\n";

inline constexpr std::string_view help_text = R"text(usage: socksify [OPTION...] [--] COMMAND [ARG...]
       socksify [OPTION...] --check [--json] [COMMAND [ARG...]]
       socksify [OPTION...] --shell | --env
Run COMMAND with its TCP connections going through a SOCKS4 server.

  -s SERVER      HOST[:PORT], socks4://[USER@]HOST[:PORT], socks4a://... or unix:/PATH; several: with commas in between
                 (default: $SOCKS_SERVER, or the files of settings)
  --local        use a server of its own on this host, which ends with COMMAND
  --ssh GATEWAY  use the ssh server GATEWAY, by ssh -D, until COMMAND ends
  -u USER        the userid to tell the server (default: the login name)
  -n LIST        what to connect to directly, as in $NO_PROXY
  -v             say on stderr what is done; more with -vv, all with -vvv
  -d LEVEL       the same, as a number from 0 to 3
  -o FILE        append it to FILE instead
  --check        say what works and what does not, in a line each; with --json for machines
  --shell        run a shell ($SHELL) whose programs all go through the server
  --env          print what to set, for eval "$(socksify --env)"
  --help, --version
)text";

} // namespace socksify::launcher
