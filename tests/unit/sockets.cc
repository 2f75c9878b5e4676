// SPDX-License-Identifier: MIT
#include "../../tools/sockets.h"
#include "../../tools/check.h"
#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace socksify;

namespace {

class NoDescriptors {
public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &m_former);
    const rlimit none{0, m_former.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &m_former); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
  rlimit m_former{};
};

constexpr uint32_t documentation_address = 0xc0000201; // 192.0.2.1

} // namespace

TEST_CASE("an address is ours, or not, or it is not known: no answer is no answer") {
  CHECK(is_own_address(0x7f4d0101));
  CHECK_FALSE(is_own_address(documentation_address));
  const NoDescriptors none;
  CHECK_THROWS_AS(is_own_address(documentation_address), Failure);
}
