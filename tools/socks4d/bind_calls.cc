// SPDX-License-Identifier: MIT
#include "socks4d/bind_calls.h"
#include "common/system_call.h"
#include <algorithm>
#include <array>
#include <sys/epoll.h>

namespace socksify {
namespace {

uint64_t to_number(Parties parties) { return uint64_t{parties.client} << 32 | parties.server; }

} // namespace

Calls::Calls() : m_listeners(check("epoll_create1", ::epoll_create1(EPOLL_CLOEXEC))) {}

Calls::Expected::Expected(Calls& calls, int listener, Parties parties) : m_calls(calls) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = to_number(parties);
  check("epoll_ctl", ::epoll_ctl(calls.m_listeners.get(), EPOLL_CTL_ADD, listener, &event));
  ++calls.m_expected;
}

// In this order: what is not waiting any more when the kernel is asked was being taken before. Where more calls than
// these wait at once, which takes a flood of them, no relay stands still for it.
bool Calls::look_for(Parties parties) const {
  std::array<epoll_event, 64> waiting;
  const int count = ::epoll_wait(m_listeners.get(), waiting.data(), waiting.size(), 0);
  const auto is_theirs = [theirs = to_number(parties), anybodys = to_number({parties.client, 0})](
                             const epoll_event& call) { return call.data.u64 == theirs || call.data.u64 == anybodys; };
  return std::any_of(waiting.begin(), waiting.begin() + std::max(count, 0), is_theirs) || m_taken > 0;
}

} // namespace socksify
