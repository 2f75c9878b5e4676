// SPDX-License-Identifier: MIT
// Waiting: one epoll set and the timers of one thread. A Watch is a descriptor and what to do when it is
// ready, a Timer is a moment and what to do then; both may go away at any time, even within a callback.
#pragma once
#include "fd.h"
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <sys/epoll.h>
#include <unordered_map>

namespace socksify {

class Timer;

class Loop {
public:
  using Clock = std::chrono::steady_clock;
  using OnEvents = std::function<void(uint32_t events)>;

  Loop();
  void run(); // until stop()
  void stop() { m_stopped = true; }

private:
  friend class Watch;
  friend class Timer;

  int milliseconds_to_wait() const;
  void dispatch(const epoll_event& event);
  void fire_timers();

  Fd m_epoll;
  bool m_stopped = false;
  uint64_t m_last_expectation = 0;
  std::unordered_map<uint64_t, OnEvents> m_expectations;
  std::multimap<Clock::time_point, Timer*> m_timers;
};

// Owns its descriptor and closes it.
class Watch {
public:
  explicit Watch(Loop& loop, Fd fd = Fd()) : m_loop(loop), m_fd(std::move(fd)) {}
  ~Watch() { forget(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int fd() const { return m_fd.get(); }
  void replace(Fd fd); // the former one is closed, nothing is expected of the new one
  void close() { replace(Fd()); }

  // Takes the place of the former expectation. EPOLLERR and EPOLLHUP are always among the events.
  void expect(uint32_t events, Loop::OnEvents on_events);
  // With EPOLLET: what is ready now is reported once more, after the others had their turn.
  void again();

private:
  void control(int operation);
  void forget();

  Loop& m_loop;
  Fd m_fd;
  uint32_t m_events = 0;
  uint64_t m_expectation = 0; // none
};

class Timer {
public:
  explicit Timer(Loop& loop) : m_loop(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(Loop::Clock::duration from_now, std::function<void()> on_time);
  void cancel();

private:
  friend class Loop;

  Loop& m_loop;
  std::function<void()> m_on_time;
  std::optional<std::multimap<Loop::Clock::time_point, Timer*>::iterator> m_entry;
};

} // namespace socksify
