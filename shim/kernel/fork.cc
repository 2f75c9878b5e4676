// SPDX-License-Identifier: MIT
#include "kernel/fork.h"
#include <ctime>
#include <pthread.h>
#include <unistd.h>

namespace socksify::forks {
namespace {

constexpr uint32_t not_tracking = UINT32_MAX;

constinit struct {
  std::atomic<uint32_t> count{0};
  std::atomic<uint32_t> tracked_from{not_tracking}; // the count at start_tracking()
  std::atomic<int> pid{0};                          // of this process; 0: not asked yet
  std::atomic<Observer*> observers{nullptr};

  // Look-ups hold it for reading, the forking thread for writing.
  pthread_rwlock_t lookups = PTHREAD_RWLOCK_INITIALIZER;
  std::atomic<pthread_t> writer{}; // of `lookups`
} state;

// Waits for a second at most: a look-up that takes longer is waiting for another host.
void await_lookups() {
  timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  ++limit.tv_sec;
  if (pthread_rwlock_timedwrlock(&state.lookups, &limit) == 0)
    state.writer.store(pthread_self(), std::memory_order_relaxed);
}

void allow_lookups() {
  if (state.writer.load(std::memory_order_relaxed) != pthread_self())
    return; // await_lookups() timed out
  state.writer.store({}, std::memory_order_relaxed);
  pthread_rwlock_unlock(&state.lookups);
}

void count_fork() { state.count.fetch_add(1, std::memory_order_relaxed); }

void notify(const Observer::Call Observer::*call) {
  Observer* each = state.observers.load(std::memory_order_acquire);
  for (; each; each = each->next.load(std::memory_order_acquire))
    if (each->*call)
      (each->*call)(*each);
}

void before_fork() {
  count_fork();
  notify(&Observer::before);
  await_lookups();
}

void after_fork_in_parent() {
  count_fork();
  allow_lookups();
}

// Only the forking thread exists here: what other threads were writing stays half-written.
void after_fork_in_child() {
  count_fork();
  state.writer.store({}, std::memory_order_relaxed);
  state.lookups = PTHREAD_RWLOCK_INITIALIZER;
  state.pid.store(getpid(), std::memory_order_relaxed);
  notify(&Observer::in_child);
}

} // namespace

// Appends. A thread that meets its own observer on the way to the end knows that another thread has linked it, so no
// caller returns too early, and no observer is linked twice.
void add_observer(Observer& observer) {
  if (observer.is_linked.load(std::memory_order_acquire))
    return;
  for (std::atomic<Observer*>* end = &state.observers;;) {
    Observer* there = nullptr;
    if (end->compare_exchange_strong(there, &observer, std::memory_order_acq_rel) || there == &observer)
      break;
    end = &there->next;
  }
  observer.is_linked.store(true, std::memory_order_release);
}

void watch() {
  static constinit std::atomic<bool> is_watching{false};
  if (is_watching.exchange(true, std::memory_order_relaxed))
    return;
  own_pid(); // before a child of vfork() could take its own for it
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

LookupGuard::LookupGuard() : m_is_locked(pthread_rwlock_rdlock(&state.lookups) == 0) {}

LookupGuard::~LookupGuard() {
  if (m_is_locked)
    pthread_rwlock_unlock(&state.lookups);
}

uint32_t count() { return state.count.load(std::memory_order_relaxed); }

void start_tracking() {
  uint32_t expected = not_tracking;
  state.tracked_from.compare_exchange_strong(expected, count(), std::memory_order_relaxed);
}

bool may_share() {
  const uint32_t from = state.tracked_from.load(std::memory_order_relaxed);
  return from != not_tracking && from != count();
}

void record_inherited() {
  start_tracking();
  count_fork();
}

int own_pid() {
  int pid = state.pid.load(std::memory_order_relaxed);
  if (pid == 0)
    state.pid.store(pid = getpid(), std::memory_order_relaxed);
  return pid;
}

} // namespace socksify::forks
