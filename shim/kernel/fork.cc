// SPDX-License-Identifier: MIT
#include "kernel/fork.h"
#include "kernel/deadline.h"
#include <csignal>
#include <cstring>
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

  // The look-ups that a fork waits for. A new era begins when it has waited in vain: no fork waits for them again.
  std::atomic<uint64_t> lookups{0}; // the era in the upper half, the count in the lower one
  std::atomic<int> forking{0};      // threads that are in fork()
} state;

// Of this thread.
[[gnu::tls_model("initial-exec")]] constinit thread_local struct {
  uint32_t lookups = 0;
  uint32_t era = 0;             // of the last of them
  uint64_t blocked_signals = 0; // when it began
  bool is_forking = false;
} own;

// Milliseconds. A look-up that takes longer is waiting for another host.
constexpr int longest_wait = 1000;

void nap() {
  constexpr timespec time{0, 100'000};
  nanosleep(&time, nullptr);
}

uint32_t era_of(uint64_t lookups) { return static_cast<uint32_t>(lookups >> 32); }
uint32_t count_of(uint64_t lookups) { return static_cast<uint32_t>(lookups); }

// A fork in a look-up of the same thread, by a signal handler say, does not wait for that one.
bool any_elsewhere(uint64_t lookups) { return count_of(lookups) > (own.era == era_of(lookups) ? own.lookups : 0); }

void end_fork() {
  if (!own.is_forking)
    return;
  own.is_forking = false;
  state.forking.fetch_sub(1, std::memory_order_release);
}

void begin_fork() {
  own.is_forking = true;
  state.forking.fetch_add(1, std::memory_order_seq_cst);
}

void await_lookups() {
  const NoCancellation whole;
  const OnLeaving leaving{[](void*) { end_fork(); }, nullptr};
  begin_fork();
  const Deadline limit = Deadline::after(longest_wait);
  uint64_t lookups = state.lookups.load(std::memory_order_seq_cst);
  for (; any_elsewhere(lookups); lookups = state.lookups.load(std::memory_order_seq_cst)) {
    if (limit.left() == 0)
      return state.lookups.store(uint64_t{era_of(lookups) + 1} << 32, std::memory_order_seq_cst);
    nap();
  }
}

void await_forks() {
  const Deadline limit = Deadline::after(2 * longest_wait);
  while (state.forking.load(std::memory_order_seq_cst) && limit.left() != 0)
    nap();
}

void end_lookup(uint32_t era) {
  uint64_t lookups = state.lookups.load(std::memory_order_relaxed);
  while (era_of(lookups) == era && count_of(lookups) > 0 &&
         !state.lookups.compare_exchange_weak(lookups, lookups - 1, std::memory_order_seq_cst))
    ;
}

// The era in which it is counted. A fork that has begun is not kept waiting.
uint32_t begin_lookup() {
  uint64_t lookups = state.lookups.fetch_add(1, std::memory_order_seq_cst);
  if (state.forking.load(std::memory_order_seq_cst) && !own.is_forking) {
    end_lookup(era_of(lookups));
    await_forks();
    lookups = state.lookups.fetch_add(1, std::memory_order_seq_cst);
  }
  return era_of(lookups);
}

void count_fork() { state.count.fetch_add(1, std::memory_order_relaxed); }

uint64_t blocked_signals() {
  sigset_t signals;
  uint64_t mask = 0; // the kernel has 64
  if (pthread_sigmask(SIG_SETMASK, nullptr, &signals) == 0)
    std::memcpy(&mask, &signals, sizeof mask);
  return mask;
}

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
  end_fork();
}

// Only the forking thread exists here: what other threads were writing stays half-written.
void after_fork_in_child() {
  count_fork();
  state.forking.store(0, std::memory_order_relaxed);
  state.lookups.store(uint64_t{own.era} << 32 | own.lookups, std::memory_order_relaxed);
  own.is_forking = false;
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

// Not even asynchronous cancellation ends it in the middle of libc's work.
LookupGuard::LookupGuard() : m_leaving([](void* self) { static_cast<LookupGuard*>(self)->end(); }, this) {
  own.blocked_signals = blocked_signals();
  const Uninterrupted beginning;
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &m_cancel_type);
  m_era = own.era = begin_lookup();
  ++own.lookups;
  m_has_begun = true;
}

LookupGuard::~LookupGuard() {
  const Uninterrupted ending;
  end();
}

void LookupGuard::end() {
  if (!m_has_begun)
    return;
  m_has_begun = false;
  --own.lookups;
  end_lookup(m_era);
  pthread_setcanceltype(m_cancel_type, nullptr);
}

bool is_looking_up() { return own.lookups > 0; }

bool is_module_calling() { return is_looking_up() && blocked_signals() == own.blocked_signals; }

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
