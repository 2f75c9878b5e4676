// SPDX-License-Identifier: MIT
#include "socks4d/net/tcp.h"
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <set>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace socks4d;

namespace {

class NoDescriptors {
public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &m_previous);
    const rlimit none{0, m_previous.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &m_previous); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
  rlimit m_previous{};
};

constexpr uint32_t documentation_address = 0xc0000201; // 192.0.2.1

} // namespace

TEST_CASE("the search for a free port covers a small random range") {
  constexpr int local_port_range = 51; // IP_LOCAL_PORT_RANGE
  std::set<uint32_t> parts;
  for (int i = 0; i < 20; ++i) {
    const Fd fd = make_socket();
    listen_for_one(fd.get(), INADDR_LOOPBACK);
    uint32_t part = 0;
    socklen_t length = sizeof part;
    if (::getsockopt(fd.get(), IPPROTO_IP, local_port_range, &part, &length) < 0)
      return; // Linux before 6.3
    const uint16_t first = part & 0xffff, last = static_cast<uint16_t>(part >> 16),
                   port = local_endpoint(fd.get()).port;
    CHECK(first <= port);
    CHECK(port <= last);
    CHECK(last - first < 64);
    parts.insert(part);
  }
  CHECK(parts.size() > 1);
}

TEST_CASE("is_own_address() throws if it cannot find out") {
  CHECK(is_own_address(0x7f4d0101));
  CHECK_FALSE(is_own_address(documentation_address));
  const NoDescriptors none;
  CHECK_THROWS_AS(is_own_address(documentation_address), Failure);
}
