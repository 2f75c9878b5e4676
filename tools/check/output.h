// SPDX-License-Identifier: MIT
// What a command prints.
#pragma once
#include <string>
#include <vector>

namespace socksify::check {

struct Output {
  int status = -1;  // as waitpid(2) reports it
  std::string text; // of stdout and stderr
};

// Runs the command with LD_PRELOAD=preload, for at most ten seconds. Throws std::system_error.
Output output_of(const std::vector<std::string>& words, const std::string& preload);

} // namespace socksify::check
