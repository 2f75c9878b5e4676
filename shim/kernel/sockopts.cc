// SPDX-License-Identifier: MIT
#include "kernel/sockopts.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "kernel/tcp.h"
#include <atomic>
#include <sys/socket.h>
#include <sys/time.h>

namespace socksify::sockopts {
namespace {

enum Option : unsigned { send_timeout = 1, receive_timeout = 2, low_water_mark = 4 };

constinit std::atomic<unsigned> used_options{0}; // the bits of Option

// Another process that shares the socket may have used it.
bool is_used(Option option) { return (used_options.load(std::memory_order_relaxed) & option) || forks::count() > 0; }

Deadline deadline(int fd, int option) {
  timeval limit{};
  socklen_t length = sizeof limit;
  const bool is_set = REAL(getsockopt)(fd, SOL_SOCKET, option, &limit, &length) == 0 && (limit.tv_sec || limit.tv_usec);
  return is_set ? Deadline::after(limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000) : Deadline::never();
}

} // namespace

void record_use(int level, int option) {
  if (level != SOL_SOCKET)
    return;
  switch (option) {
  case SO_SNDTIMEO_OLD:
  case SO_SNDTIMEO_NEW:
    used_options |= send_timeout;
    break;
  case SO_RCVTIMEO_OLD:
  case SO_RCVTIMEO_NEW:
    used_options |= receive_timeout;
    break;
  case SO_RCVLOWAT:
    used_options |= low_water_mark;
    break;
  }
}

Deadline send_deadline(int fd) { return is_used(send_timeout) ? deadline(fd, SO_SNDTIMEO) : Deadline::never(); }

Deadline receive_deadline(int fd) { return is_used(receive_timeout) ? deadline(fd, SO_RCVTIMEO) : Deadline::never(); }

int reset_low_water_mark(int fd) {
  int bytes = 1;
  socklen_t length = sizeof bytes;
  if (!is_used(low_water_mark) || REAL(getsockopt)(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &length) != 0)
    return 1;
  if (bytes != 1)
    set_low_water_mark(fd, 1);
  return bytes;
}

} // namespace socksify::sockopts
