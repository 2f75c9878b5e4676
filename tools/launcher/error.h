// SPDX-License-Identifier: MIT
// What stops the launcher: an exit status, and one line for stderr. Thrown by fail(), caught in main().
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

namespace socksify::launcher {

enum Status { our_failure = 125, cannot_run = 126, not_found = 127 }; // as env(1) has them

struct Error {
  Status status;
  std::string text;
};

using Parts = std::initializer_list<std::string_view>;

inline std::string join(Parts parts) {
  std::string text;
  for (const auto part : parts)
    text += part;
  return text;
}

[[noreturn]] inline void fail(Status status, Parts reason) { throw Error{status, join(reason)}; }
[[noreturn]] inline void fail(Parts reason) { fail(our_failure, reason); }

} // namespace socksify::launcher
