// SPDX-License-Identifier: MIT
// Waiting: one epoll set and the timers of one thread. A Watch is a descriptor and what to do when it is
// ready, a Timer is a moment and what to do then; both may go away at any time, even within a callback.
#pragma once
#include "base/fd.h"
#include "socks4d/callback.h"
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <sys/epoll.h>

namespace socksify {

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
  Fd m_wake; // readable once it has been stopped
  std::atomic<bool> m_stopped{false};
  std::span<epoll_event> m_undispatched; // of the batch that is being worked off
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
  void replace(Fd fd); // the former one is closed, nothing is expected of the new one
  void close() { replace(Fd()); }

  // Takes the place of the former expectation. EPOLLERR and EPOLLHUP are always among the events. With EPOLLET and the
  // same events as before, what is ready now has been reported before, and is not again.
  void expect(uint32_t events, OnEvents on_events);
  void expect_nothing(); // not even those
  // With EPOLLET: what is ready now is reported once more, after the others had their turn.
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

// Setting it takes no memory: that can be done where there is none, too.
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
  Timers::node_type m_unset; // the entry, while it is not among the loop's
  Timers::iterator m_set;
};

} // namespace socksify
