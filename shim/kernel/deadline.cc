// SPDX-License-Identifier: MIT
#include "kernel/deadline.h"
#include "kernel/real.h"
#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <poll.h>

namespace socksify {
namespace {

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

bool has_handler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

} // namespace

Deadline Deadline::at(int64_t milliseconds) {
  Deadline deadline;
  deadline.m_at = milliseconds;
  return deadline;
}

// Plus one, because now() is rounded down: no wait is shorter than requested.
Deadline Deadline::after(int64_t milliseconds) { return at(milliseconds == 0 ? 0 : now() + milliseconds + 1); }

int Deadline::left() const {
  if (m_at == INT64_MAX)
    return -1;
  return static_cast<int>(std::clamp<int64_t>(m_at - now(), 0, INT_MAX));
}

int wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd waiting{fd, events, 0};
    const int ready = REAL(poll)(&waiting, 1, deadline.left());
    if (ready > 0)
      return 0;
    if (ready == 0)
      return ETIMEDOUT;
    if (errno != EINTR || !signals_restart())
      return errno;
  }
}

// There is no way to ask which handler ran. If all installed handlers have SA_RESTART, it was one of those.
bool signals_restart() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && has_handler(action) && !(action.sa_flags & SA_RESTART))
      return false;
  }
  return true;
}

} // namespace socksify
