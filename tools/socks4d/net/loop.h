// SPDX-License-Identifier: MIT
// The event loop of one thread: an epoll set and timers. A Watch runs a callback when its descriptor is ready, a Timer
// when its time has come. Both may be destroyed at any time, even inside a callback.
#pragma once
#include "socks4d/base.h"
#include "socks4d/net/callback.h"
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <sys/epoll.h>

namespace socks4d {

class Timer;
class Watch;

class Loop {
public:
  using Clock = std::chrono::steady_clock;

  Loop();
  void run();  // until stop()
  void stop(); // from any thread

private:
  friend class Watch;
  friend class Timer;

  int milliseconds_to_wait() const;
  void dispatch(std::span<epoll_event> events);
  void forget_events(const Watch* watch);
  void fire_timers();

  Fd m_epoll;
  Fd m_wake; // readable after stop()
  std::atomic<bool> m_stopped{false};
  std::span<epoll_event> m_undispatched; // the rest of the current batch
  std::multimap<Clock::time_point, Timer*> m_timers;
};

// Owns its descriptor and closes it.
class Watch {
public:
  using OnEvents = Callback<uint32_t>;

  explicit Watch(Loop& loop, Fd fd = Fd()) : m_loop(loop), m_fd(std::move(fd)) {}
  ~Watch() { forget(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int fd() const { return m_fd.get(); }
  bool is_open() const { return bool(m_fd); }
  void replace(Fd fd); // closes the old descriptor and expects nothing from the new one
  void close() { replace(Fd()); }

  // Replaces the previous expectation. EPOLLERR and EPOLLHUP are always reported. With EPOLLET and unchanged events,
  // what was reported before is not reported again.
  void expect(uint32_t events, OnEvents on_events);
  void expect_nothing(); // not even errors
  // With EPOLLET: reports what is ready once more, after the other descriptors had their turn.
  void again();

private:
  friend class Loop;

  void control(int operation);
  void forget();

  Loop& m_loop;
  Fd m_fd;
  uint32_t m_events = 0;
  bool m_is_in_set = false;
  OnEvents m_on_events;
};

// Setting a timer allocates nothing, so it also works when memory is short.
class Timer {
public:
  using OnTime = Callback<>;

  explicit Timer(Loop& loop);
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(Loop::Clock::duration from_now, OnTime on_time);
  void cancel();

private:
  friend class Loop;
  using Timers = std::multimap<Loop::Clock::time_point, Timer*>;

  Loop& m_loop;
  OnTime m_on_time;
  Timers::node_type m_unset; // holds the map entry while the timer is not set
  Timers::iterator m_set;
};

} // namespace socks4d
