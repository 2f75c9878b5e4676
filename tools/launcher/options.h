// SPDX-License-Identifier: MIT
// The options of socksify-exec. The script socksify passes these on; it turns all others into environment variables.
#pragma once

namespace socksify::launcher {

enum class Mode { run, check, shell, env, help, version };
enum class WithServer { no, local, ssh }; // a server that ends with the command

struct Options {
  Mode mode = Mode::run;
  WithServer with_server = WithServer::no;
  const char* gateway = nullptr; // of --ssh
  bool json = false;
  bool has_server_option = false; // SOCKS_SERVER is the value of -s: a message names that
  char** command = nullptr;       // and its arguments; ends with null
};

// Of the words behind the program's name, which end with null. Throws Error.
Options parse_options(char** words);

} // namespace socksify::launcher
