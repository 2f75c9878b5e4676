// SPDX-License-Identifier: MIT
// Waits with a time limit, interrupted by signals the way a blocking connect() is.
#pragma once
#include <compare>
#include <cstdint>

namespace socksify {

// A point in time of CLOCK_MONOTONIC, in milliseconds.
class Deadline {
public:
  static Deadline at(int64_t milliseconds);
  static Deadline after(int64_t milliseconds); // 0: already over, without reading the clock
  static Deadline never() { return at(INT64_MAX); }

  int64_t when() const { return m_at; }
  // Milliseconds left, in poll()'s terms: 0 means over, -1 never.
  int left() const;
  auto operator<=>(const Deadline&) const = default;

private:
  int64_t m_at = 0;
};

// Waits for poll() events on fd. Returns 0 if there are any, else ETIMEDOUT, EINTR or poll()'s errno.
[[nodiscard]] int wait_for(int fd, short events, Deadline deadline);

// True if the kernel would restart a connect() that a signal has just interrupted. With SA_RESTART it does; poll() is
// never restarted.
bool signals_restart();

} // namespace socksify
