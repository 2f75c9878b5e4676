// SPDX-License-Identifier: MIT
// What a command prints.
#pragma once
#include <string>
#include <vector>

namespace socksify {

struct Output {
  int status = -1;  // as of waitpid(2)
  std::string text; // of both, stdout and stderr
};

// Runs it with LD_PRELOAD=preload, for ten seconds at most.
Output output_of(const std::vector<std::string>& words, const std::string& preload);

} // namespace socksify
