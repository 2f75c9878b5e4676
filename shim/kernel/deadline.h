// SPDX-License-Identifier: MIT
// Waiting with a limit, the way a blocking connect() waits.
#pragma once
#include <compare>
#include <cstdint>

namespace socksify {

// A moment of CLOCK_MONOTONIC, in milliseconds.
class Deadline {
public:
  static Deadline at(int64_t milliseconds);
  static Deadline after(int64_t milliseconds); // 0: over already, without a look at the clock
  static Deadline never() { return at(INT64_MAX); }

  int64_t when() const { return m_at; }
  // Milliseconds from now, as poll() takes them: 0 means over, -1 never.
  int left() const;
  auto operator<=>(const Deadline&) const = default;

private:
  int64_t m_at = 0;
};

// Waits for poll() events on fd. 0 when there are any, else ETIMEDOUT, EINTR or what poll() says.
[[nodiscard]] int wait_for(int fd, short events, Deadline deadline);

// True if a connect() that a signal has just interrupted would be restarted by the kernel: poll() never is,
// connect() is if the handler was installed with SA_RESTART.
bool signals_restart();

} // namespace socksify
