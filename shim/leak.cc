// SPDX-License-Identifier: MIT
#include "leak.h"
#include "config.h"
#include "fd.h"
#include "log.h"
#include "names.h"
#include "real.h"
#include <atomic>
#include <cerrno>

namespace socksify::leak {
namespace {

bool sends_datagrams(int fd) {
  KeepErrno keep;
  int type = 0;
  socklen_t length = sizeof type;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

void warn_once() {
  static constinit std::atomic<bool> is_said{false};
  if (!is_said.exchange(true, std::memory_order_relaxed))
    print_line(FMT_COMPILE("{} sends datagrams past the SOCKS server"), program_invocation_short_name);
}

} // namespace

int refusal(int fd, const void* address, socklen_t length) {
  const Config& settings = config();
  if (!settings.stands_in() && settings.leak == Leak::allow)
    return 0;
  const auto destination = IpPort::from(static_cast<const sockaddr*>(address), length);
  // 0.0.0.0 and :: as a destination are this host to the kernel.
  if (!destination || destination->ip.is_loopback() || destination->ip.is_any())
    return 0;
  const bool is_stand_in = names::is_stand_in(destination->ip);
  if ((!is_stand_in && settings.leak == Leak::allow) || !sends_datagrams(fd))
    return 0;
  if (is_stand_in)
    return EHOSTUNREACH;
  if (settings.leak == Leak::deny)
    return EACCES;
  warn_once();
  return 0;
}

bool is_refused(int fd, const void* address, socklen_t length) {
  const int error = address ? refusal(fd, address, length) : 0;
  if (error)
    errno = error;
  return error;
}

} // namespace socksify::leak
