// SPDX-License-Identifier: MIT
// System calls that must succeed go through check(): one place looks at errno, and the error says what was attempted.
// Sessions and main() catch it.
#pragma once
#include <cerrno>
#include <string>
#include <system_error>

namespace socksify {

// what() reads "accept: Too many open files".
class Failure : public std::system_error {
public:
  explicit Failure(const std::string& attempt, int error = errno)
      : std::system_error(error, std::generic_category(), attempt) {}
};

template <typename Result> Result check(const char* attempt, Result result) {
  if (result < 0)
    throw Failure(attempt);
  return result;
}

// After a call on a non-blocking descriptor: not a failure, nothing is ready yet.
inline bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

} // namespace socksify
