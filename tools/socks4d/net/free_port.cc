// SPDX-License-Identifier: MIT
#include "socks4d/net/free_port.h"
#include "socks4d/base.h"
#include <algorithm>
#include <cstdio>
#include <memory>
#include <netinet/in.h>
#include <sys/random.h>

#ifndef IP_LOCAL_PORT_RANGE // before glibc 2.38
#define IP_LOCAL_PORT_RANGE 51
#endif

namespace socks4d {
namespace {

struct PortRange {
  unsigned first = 32768, last = 60999; // Linux's default
};

// The range of ports for sockets bound to port 0. A service may be unable to read it (systemd.exec(5): ProcSubset=).
PortRange local_ports() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"),
                                                             std::fclose);
  PortRange range;
  const bool is_known = file && std::fscanf(file.get(), "%u %u", &range.first, &range.last) == 2;
  return is_known ? range : PortRange{};
}

PortRange random_part(PortRange range) {
  constexpr unsigned size = 64;
  uint32_t random = 0;
  check("getrandom", ::getrandom(&random, sizeof random, GRND_NONBLOCK));
  const unsigned first = range.first + random % (range.last - range.first + 1);
  return {first, std::min(first + size - 1, range.last)};
}

// The upper bound goes into the upper 16 bits (ip(7)). Unchecked: before Linux 6.3 the kernel searches the whole range.
void limit_port_range(int fd, PortRange part) {
  const uint32_t bounds = part.last << 16 | part.first;
  ::setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &bounds, sizeof bounds);
}

} // namespace

// bind(2) to port 0 tries every second port of the range, then the others. With half of them taken that takes 20 ms
// (Linux 6.18), and all sessions of the thread would wait. A small random part of the range has a free port as well.
int bind_to_free_port(int fd, uint32_t ip) {
  static const PortRange range = local_ports();
  const SocketAddress address(Endpoint{ip, 0}, AF_INET);
  int result = -1;
  for (int tries = 8; result != 0 && tries > 0; --tries) {
    limit_port_range(fd, random_part(range));
    result = ::bind(fd, address.get(), address.length);
    if (result != 0 && errno != EADDRINUSE)
      break;
  }
  return result;
}

} // namespace socks4d
