// SPDX-License-Identifier: MIT
// The launcher's options, as its command line has them.
#pragma once
#include "launcher/complaint.h"

namespace socksify::launcher {

enum class Mode { run, check, shell, env, help, version };
enum class Companion { none, local, ssh }; // a server of its own

struct Options {
  // Null: not given.
  const char *servers = nullptr, *userid = nullptr, *no_proxy = nullptr, *log_file = nullptr, *gateway = nullptr;
  char level = '\0'; // of -d; NUL: not given
  int raised = 0;    // by so many -v after it
  Mode mode = Mode::run;
  Companion companion = Companion::none;
  bool json = false;
  char** command = nullptr; // and its arguments; ends with null
};

// Of the words behind the program's name, which end with null.
Complaint parse_options(char** words, Options& options);

} // namespace socksify::launcher
