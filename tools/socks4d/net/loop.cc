// SPDX-License-Identifier: MIT
#include "socks4d/net/loop.h"
#include <algorithm>
#include <array>
#include <sys/eventfd.h>
#include <unistd.h>

namespace socks4d {

using namespace std::chrono_literals;

Loop::Loop()
    : m_epoll(check("epoll_create1", ::epoll_create1(EPOLL_CLOEXEC))),
      m_wake(check("eventfd", ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {
  epoll_event event{};
  event.events = EPOLLIN;
  check("epoll_ctl", ::epoll_ctl(m_epoll.get(), EPOLL_CTL_ADD, m_wake.get(), &event));
}

void Loop::stop() {
  m_stopped = true;
  ::eventfd_write(m_wake.get(), 1);
}

void Loop::run() {
  std::array<epoll_event, 256> events;
  while (!m_stopped) {
    const int count = ::epoll_wait(m_epoll.get(), events.data(), events.size(), milliseconds_to_wait());
    if (count < 0 && errno != EINTR)
      throw Failure("epoll_wait");
    dispatch({events.data(), static_cast<size_t>(std::max(count, 0))});
    fire_timers();
  }
}

// Rounded up: otherwise the loop would spin during the last millisecond before a timer.
int Loop::milliseconds_to_wait() const {
  if (m_timers.empty())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(m_timers.begin()->first - Clock::now());
  return static_cast<int>(std::clamp(left, 0ms, std::chrono::milliseconds(1h)).count());
}

void Loop::dispatch(std::span<epoll_event> events) {
  for (m_undispatched = events; !m_undispatched.empty() && !m_stopped;) {
    const epoll_event event = m_undispatched.front();
    m_undispatched = m_undispatched.subspan(1);
    auto* const watch = static_cast<Watch*>(event.data.ptr); // null: m_wake, or a forgotten event
    if (!watch)
      continue;
    const auto on_events = watch->m_on_events; // a copy: the callback may destroy its Watch
    on_events(event.events);
  }
  m_undispatched = {};
}

// Drops pending events of a Watch that now expects something else or is being destroyed.
void Loop::forget_events(const Watch* watch) {
  for (epoll_event& event : m_undispatched)
    if (event.data.ptr == watch)
      event.data.ptr = nullptr;
}

void Loop::fire_timers() {
  if (m_timers.empty())
    return;
  const auto now = Clock::now();
  while (!m_timers.empty() && m_timers.begin()->first <= now) {
    Timer& timer = *m_timers.begin()->second;
    timer.cancel();
    const auto on_time = timer.m_on_time; // a copy: the callback may destroy its Timer
    on_time();
  }
}

void Watch::replace(Fd fd) {
  forget();
  m_fd = std::move(fd);
}

// The kernel does not let EPOLL_CTL_MOD change an exclusive registration: it is removed and added again.
void Watch::expect(uint32_t events, OnEvents on_events) {
  m_on_events = on_events;
  if (m_is_in_set && events == m_events && events & EPOLLET)
    return;
  m_loop.forget_events(this);
  if ((events | m_events) & EPOLLEXCLUSIVE)
    expect_nothing();
  m_events = events;
  control(m_is_in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
  m_is_in_set = true;
}

void Watch::expect_nothing() {
  if (m_is_in_set)
    control(EPOLL_CTL_DEL);
  forget();
}

void Watch::again() { control(EPOLL_CTL_MOD); }

void Watch::control(int operation) {
  epoll_event event{};
  event.events = m_events;
  event.data.ptr = this;
  check("epoll_ctl", ::epoll_ctl(m_loop.m_epoll.get(), operation, m_fd.get(), &event));
}

// The kernel removes a closed descriptor from the set by itself, unless it has a duplicate. Only listening sockets
// have duplicates, and they stay in the set for as long as the set exists.
void Watch::forget() {
  if (!m_is_in_set)
    return;
  m_loop.forget_events(this);
  m_is_in_set = false;
  m_events = 0;
}

Timer::Timer(Loop& loop) : m_loop(loop) {
  Timers one;
  m_unset = one.extract(one.emplace(Loop::Clock::time_point{}, this));
}

void Timer::set(Loop::Clock::duration from_now, OnTime on_time) {
  cancel();
  m_on_time = on_time;
  m_unset.key() = Loop::Clock::now() + from_now;
  m_set = m_loop.m_timers.insert(std::move(m_unset));
}

void Timer::cancel() {
  if (m_unset.empty())
    m_unset = m_loop.m_timers.extract(m_set);
}

} // namespace socks4d
