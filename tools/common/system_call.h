// SPDX-License-Identifier: MIT
// Every system call that may not fail goes through check(): errno is looked at in one place, and the error
// says what was attempted. Caught per session and in main().
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

// After a call on a non-blocking descriptor: no failure, but nothing to be had at the moment.
inline bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

} // namespace socksify
