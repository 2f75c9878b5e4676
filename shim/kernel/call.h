// SPDX-License-Identifier: MIT
// How a hooked call runs and how it ends, in the C library's terms.
#pragma once
#include <cerrno>

namespace socksify {

// Whether a call may wait.
enum class Mode {
  like_socket, // as O_NONBLOCK says
  blocking,    // always: getsockname() and listen() know neither EINPROGRESS nor EINTR
  nonblocking, // never: MSG_DONTWAIT
};

// The result of a call that the library may answer: not ours, success, or an errno.
class [[nodiscard]] Outcome {
public:
  constexpr Outcome(int error) : m_error(error) {} // 0: success
  static constexpr Outcome not_ours() { return Outcome{-1}; }

  constexpr bool is_ours() const { return m_error >= 0; }
  constexpr int error() const { return m_error; } // REQUIRES: is_ours()

private:
  int m_error;
};

// What a call returns when it fails with this errno.
inline int fail(int error) {
  errno = error;
  return -1;
}

// What a call returns for 0 or an errno. Success leaves errno alone.
inline int returned(int error) { return error ? fail(error) : 0; }

// Answers a call with `outcome`, or with what `real` returns if the call is not ours.
template <typename Real> auto answered(Outcome outcome, Real real) -> decltype(real()) {
  return outcome.is_ours() ? returned(outcome.error()) : real();
}

} // namespace socksify
