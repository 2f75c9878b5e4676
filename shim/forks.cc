// SPDX-License-Identifier: MIT
#include "forks.h"
#include "epoll.h"
#include "sockets.h"
#include <atomic>
#include <pthread.h>
#include <unistd.h>

namespace socksify::forks {
namespace {

constinit std::atomic<uint32_t> forks{0};
constinit std::atomic<uint32_t> forks_before{UINT32_MAX}; // mind()
constinit std::atomic<int> known_pid{0};

void count_fork() { forks.fetch_add(1, std::memory_order_relaxed); }

void prepare() {
  count_fork();
  sockets::note_flags();
}

// The one thread of a new process: what the others were writing will not be finished.
void begin_child() {
  count_fork();
  known_pid.store(0, std::memory_order_relaxed);
  sockets::mend_after_fork();
  epoll::mend_after_fork();
}

} // namespace

void watch() { pthread_atfork(prepare, count_fork, begin_child); }

uint32_t count() { return forks.load(std::memory_order_relaxed); }

void mind() {
  uint32_t never = UINT32_MAX;
  forks_before.compare_exchange_strong(never, count(), std::memory_order_relaxed);
}

bool may_share() {
  const uint32_t before = forks_before.load(std::memory_order_relaxed);
  return before != UINT32_MAX && before != count();
}

void note_inherited() {
  mind();
  count_fork();
}

int own_pid() {
  int pid = known_pid.load(std::memory_order_relaxed);
  if (pid == 0)
    known_pid.store(pid = getpid(), std::memory_order_relaxed);
  return pid;
}

} // namespace socksify::forks
