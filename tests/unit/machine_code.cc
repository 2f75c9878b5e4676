// SPDX-License-Identifier: MIT
#include "base/executable/machine_code.h"
#include <doctest/doctest.h>
#include <string>

using namespace socksify;
using namespace std::literals;

#ifdef __x86_64__
namespace {

const std::string mov_epoll_pwait2 = "\xb8\xb9\x01\x00\x00"s, mov_futex = "\xb8\xca\x00\x00\x00"s, enter = "\x0f\x05"s;
std::string nops(size_t count) { return std::string(count, '\x90'); }

} // namespace

TEST_CASE("machine code: a wait by epoll is found") {
  CHECK(machine_code::waits_by_epoll(mov_epoll_pwait2 + enter));
  CHECK(machine_code::waits_by_epoll(nops(9) + mov_epoll_pwait2 + nops(20) + enter + nops(9)));
  CHECK(machine_code::waits_by_epoll(mov_futex + enter + "\x05"s + mov_epoll_pwait2 + enter));
}

TEST_CASE("machine code: other code has no wait by epoll") {
  CHECK_FALSE(machine_code::waits_by_epoll(""));
  CHECK_FALSE(machine_code::waits_by_epoll(enter));
  CHECK_FALSE(machine_code::waits_by_epoll("\x05"));
  CHECK_FALSE(machine_code::waits_by_epoll(mov_epoll_pwait2));
  CHECK_FALSE(machine_code::waits_by_epoll(mov_futex + enter));
  CHECK_FALSE(machine_code::waits_by_epoll(mov_epoll_pwait2 + nops(60) + enter));
  CHECK_FALSE(machine_code::waits_by_epoll(enter + mov_epoll_pwait2));
}
#endif
