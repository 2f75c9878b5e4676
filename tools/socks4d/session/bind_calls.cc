// SPDX-License-Identifier: MIT
#include "socks4d/session/bind_calls.h"
#include <algorithm>
#include <array>
#include <sys/epoll.h>

namespace socks4d {
namespace {

uint64_t key_of(Parties parties) { return uint64_t{parties.client} << 32 | parties.server; }

} // namespace

BindCalls::BindCalls() : m_listeners(check("epoll_create1", ::epoll_create1(EPOLL_CLOEXEC))) {}

BindCalls::ExpectCall::ExpectCall(BindCalls& calls, int listener, Parties parties) : m_calls(calls) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key_of(parties);
  check("epoll_ctl", ::epoll_ctl(calls.m_listeners.get(), EPOLL_CTL_ADD, listener, &event));
  ++calls.m_expected;
}

// The order matters: a call that the kernel no longer reports was already being announced. If more than 64 calls wait
// at once, some may be missed: no relay stalls because of such a flood.
bool BindCalls::ask_kernel(Parties parties) const {
  std::array<epoll_event, 64> waiting;
  const int count = ::epoll_wait(m_listeners.get(), waiting.data(), waiting.size(), 0);
  const auto concerns = [exact = key_of(parties), any_server = key_of({parties.client, 0})](const epoll_event& call) {
    return call.data.u64 == exact || call.data.u64 == any_server;
  };
  return std::any_of(waiting.begin(), waiting.begin() + std::max(count, 0), concerns) || m_announcing > 0;
}

} // namespace socks4d
