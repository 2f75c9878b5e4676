// SPDX-License-Identifier: MIT
#include "loop.h"
#include "check.h"
#include <algorithm>
#include <array>

namespace socksify {

using namespace std::chrono_literals;

Loop::Loop() : m_epoll(check("epoll_create1", ::epoll_create1(EPOLL_CLOEXEC))) {}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (!m_stopped) {
    const int count = ::epoll_wait(m_epoll.get(), events.data(), events.size(), milliseconds_to_wait());
    if (count < 0 && errno != EINTR)
      throw Failure("epoll_wait");
    for (int i = 0; i < count && !m_stopped; ++i)
      dispatch(events[i]);
    fire_timers();
  }
}

// Rounded up: rounded down, the loop would spin through the last millisecond before a timer.
int Loop::milliseconds_to_wait() const {
  if (m_timers.empty())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(m_timers.begin()->first - Clock::now());
  return static_cast<int>(std::clamp(left, 0ms, std::chrono::milliseconds(1h)).count());
}

// Descriptors are closed and their numbers used again while a batch of events is worked off. So an event
// names the expectation that it is for, a number never used twice: if that is gone, the event means nobody.
void Loop::dispatch(const epoll_event& event) {
  const auto found = m_expectations.find(event.data.u64);
  if (found == m_expectations.end())
    return;
  const OnEvents on_events = found->second; // a copy: the callback may end the Watch that it belongs to
  on_events(event.events);
}

void Loop::fire_timers() {
  const auto now = Clock::now();
  while (!m_timers.empty() && m_timers.begin()->first <= now) {
    Timer& timer = *m_timers.begin()->second;
    timer.cancel();
    const auto on_time = timer.m_on_time; // a copy: the callback may end the Timer
    on_time();
  }
}

void Watch::replace(Fd fd) {
  forget();
  m_fd = std::move(fd);
}

void Watch::expect(uint32_t events, Loop::OnEvents on_events) {
  const int operation = m_expectation ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  forget();
  m_expectation = ++m_loop.m_last_expectation;
  m_loop.m_expectations.emplace(m_expectation, std::move(on_events));
  m_events = events;
  control(operation);
}

void Watch::again() { control(EPOLL_CTL_MOD); }

void Watch::control(int operation) {
  epoll_event event{};
  event.events = m_events;
  event.data.u64 = m_expectation;
  check("epoll_ctl", ::epoll_ctl(m_loop.m_epoll.get(), operation, m_fd.get(), &event));
}

// The kernel drops a closed descriptor from the set by itself.
void Watch::forget() {
  if (m_expectation)
    m_loop.m_expectations.erase(std::exchange(m_expectation, 0));
}

void Timer::set(Loop::Clock::duration from_now, std::function<void()> on_time) {
  cancel();
  m_on_time = std::move(on_time);
  m_entry = m_loop.m_timers.emplace(Loop::Clock::now() + from_now, this);
}

void Timer::cancel() {
  if (m_entry)
    m_loop.m_timers.erase(*std::exchange(m_entry, std::nullopt));
}

} // namespace socksify
