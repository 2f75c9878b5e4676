// SPDX-License-Identifier: MIT
#include "names/datagrams.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "kernel/real.h"
#include "names/fake_ips.h"
#include <atomic>
#include <cerrno>
#include <netdb.h>

namespace socksify::datagrams {
namespace {

bool sends_datagrams(int fd) {
  KeepErrno keep;
  int type = 0;
  socklen_t length = sizeof type;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

void warn_once() {
  static constinit std::atomic<bool> is_printed{false};
  if (!is_printed.exchange(true, std::memory_order_relaxed))
    print_line(FMT_COMPILE("{} sends datagrams that bypass the SOCKS server"), program_invocation_short_name);
}

// EACCES, or 0.
int refuse() {
  if (config().leak == Leak::deny)
    return EACCES;
  warn_once();
  return 0;
}

// The kernel takes 0.0.0.0 and :: as a destination for this host.
bool leaves_host(const IpPort& destination) {
  constexpr uint16_t dns = 53;
  return destination.port == dns || !(destination.ip.is_loopback() || destination.ip.is_any());
}

} // namespace

int refusal(int fd, const void* address, socklen_t length) {
  const Config& settings = config();
  if (!settings.uses_fake_ips() && settings.leak == Leak::allow)
    return 0;
  const auto destination = IpPort::from(static_cast<const sockaddr*>(address), length);
  if (!destination)
    return 0;
  const bool is_fake_ip = settings.is_fake_ip(destination->ip);
  const bool leaks = settings.leak != Leak::allow && leaves_host(*destination);
  if ((!is_fake_ip && !leaks) || !sends_datagrams(fd))
    return 0;
  if (is_fake_ip)
    return EHOSTUNREACH;
  return refuse();
}

bool is_refused(int fd, const void* address, socklen_t length) {
  const int error = address ? refusal(fd, address, length) : 0;
  if (error)
    errno = error;
  return error;
}

bool is_query_refused() {
  if (config().leak == Leak::allow || refuse() == 0)
    return false;
  errno = EACCES;
  h_errno = NO_RECOVERY;
  return true;
}

} // namespace socksify::datagrams
