// SPDX-License-Identifier: MIT
// What is wrong, in words: the parts of a line, and who uses it knows where.
#pragma once
#include <string_view>

namespace socksify::launcher {

struct Complaint {
  std::string_view parts[5];

  explicit operator bool() const { return !parts[0].empty(); }
};

} // namespace socksify::launcher
