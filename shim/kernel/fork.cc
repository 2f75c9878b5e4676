// SPDX-License-Identifier: MIT
#include "kernel/fork.h"
#include "base/fd.h"
#include <atomic>
#include <ctime>
#include <pthread.h>
#include <unistd.h>

namespace socksify::forks {
namespace {

constinit std::atomic<uint32_t> forks{0};
constinit std::atomic<uint32_t> forks_before{UINT32_MAX}; // mind()
constinit std::atomic<int> known_pid{0};
constinit std::atomic<Observer*> observers{nullptr};

// Held for reading by those who look up, for writing by the thread that forks: `forking`.
constinit pthread_rwlock_t lookups = PTHREAD_RWLOCK_INITIALIZER;
constinit std::atomic<pthread_t> forking{};

// A look-up that takes longer waits for another host.
void await_lookups() {
  timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  ++limit.tv_sec;
  if (pthread_rwlock_timedwrlock(&lookups, &limit) == 0)
    forking.store(pthread_self(), std::memory_order_relaxed);
}

void allow_lookups() {
  if (forking.load(std::memory_order_relaxed) != pthread_self())
    return;
  forking.store({}, std::memory_order_relaxed);
  pthread_rwlock_unlock(&lookups);
}

void count_fork() { forks.fetch_add(1, std::memory_order_relaxed); }

void prepare() {
  count_fork();
  for (Observer* each = observers.load(std::memory_order_acquire); each; each = each->next)
    if (each->before)
      each->before(*each);
  await_lookups();
}

void go_on_in_parent() {
  count_fork();
  allow_lookups();
}

// The one thread of a new process: what the others were writing will not be finished.
void begin_child() {
  count_fork();
  forking.store({}, std::memory_order_relaxed);
  lookups = PTHREAD_RWLOCK_INITIALIZER;
  known_pid.store(0, std::memory_order_relaxed);
  for (Observer* each = observers.load(std::memory_order_acquire); each; each = each->next)
    if (each->in_child)
      each->in_child(*each);
}

} // namespace

void add(Observer& observer) {
  if (observer.is_added.exchange(true, std::memory_order_relaxed))
    return;
  observer.next = observers.load(std::memory_order_relaxed);
  while (!observers.compare_exchange_weak(observer.next, &observer, std::memory_order_release))
    ;
}

void watch() {
  static constinit std::atomic<bool> is_watching{false};
  if (!is_watching.exchange(true, std::memory_order_relaxed))
    pthread_atfork(prepare, go_on_in_parent, begin_child);
}

LookUp::LookUp() : m_is_noted(pthread_rwlock_rdlock(&lookups) == 0) {}

LookUp::~LookUp() {
  if (m_is_noted)
    pthread_rwlock_unlock(&lookups);
}

uint32_t count() { return forks.load(std::memory_order_relaxed); }

void start_tracking() {
  uint32_t never = UINT32_MAX;
  forks_before.compare_exchange_strong(never, count(), std::memory_order_relaxed);
}

bool may_share() {
  const uint32_t before = forks_before.load(std::memory_order_relaxed);
  return before != UINT32_MAX && before != count();
}

void note_inherited() {
  start_tracking();
  count_fork();
}

int own_pid() {
  int pid = known_pid.load(std::memory_order_relaxed);
  if (pid == 0)
    known_pid.store(pid = getpid(), std::memory_order_relaxed);
  return pid;
}

} // namespace socksify::forks
