// SPDX-License-Identifier: MIT
#include "options.h"
#include <atomic>
#include <sys/socket.h>

namespace socksify::options {
namespace {

enum Use : unsigned { send_timeout = 1, receive_timeout = 2, low_water_mark = 4 };

constinit std::atomic<unsigned> used{0};

bool uses(Use use) {
  return used.load(std::memory_order_relaxed) & use;
}

} // namespace

void note(int level, int option) {
  if (level != SOL_SOCKET)
    return;
  switch (option) {
  case SO_SNDTIMEO_OLD:
  case SO_SNDTIMEO_NEW:
    used |= send_timeout;
    break;
  case SO_RCVTIMEO_OLD:
  case SO_RCVTIMEO_NEW:
    used |= receive_timeout;
    break;
  case SO_RCVLOWAT:
    used |= low_water_mark;
    break;
  }
}

bool uses_send_timeout() {
  return uses(send_timeout);
}
bool uses_receive_timeout() {
  return uses(receive_timeout);
}
bool uses_low_water_mark() {
  return uses(low_water_mark);
}

} // namespace socksify::options
