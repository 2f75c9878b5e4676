// SPDX-License-Identifier: MIT
#include "table.h"
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

namespace socksify {
namespace {

// How many locks this thread holds: not 0 where a signal handler has interrupted a writer.
[[gnu::tls_model("initial-exec")]] thread_local int held = 0;

// A writer needs no time for its few stores; but on a busy machine it may be stopped in their midst, for a tenth of a
// second at the worst. Where it is this very thread that was stopped, waiting longer does not help.
bool is_patient(int attempt) { return attempt < (held == 0 ? 3000 : 1000); }

// Lets the writer go on.
void pause_for(int attempt) {
  constexpr timespec moment{0, 50'000};
  if (attempt < 1000)
    sched_yield();
  else
    nanosleep(&moment, nullptr);
}

// Fibonacci hashing: spreads numbers in sequence, as the kernel gives them to sockets, and multiples of any
// step.
size_t hash(uint64_t key) { return key * 0x9e3779b97f4a7c15 >> 40; }

} // namespace

bool Table::Lock::lock() {
  for (int attempt = 0; is_patient(attempt); ++attempt) {
    uint32_t now = sequence.load(std::memory_order_relaxed);
    if (now % 2 == 0 && sequence.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) {
      ++held;
      return true;
    }
    pause_for(attempt);
  }
  return false;
}

void Table::Lock::unlock() {
  sequence.fetch_add(1, std::memory_order_release);
  --held;
}

Table::Value Table::Slot::load() const {
  Value value;
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = words[i].load(std::memory_order_acquire); // acquire: the check of `sequence` comes after
  return value;
}

bool Table::Slot::read(uint64_t wanted, Value& value) const {
  for (int attempt = 0; is_patient(attempt); ++attempt) {
    const uint32_t before = sequence.load(std::memory_order_acquire);
    if (key.load(std::memory_order_acquire) != wanted)
      return false;
    value = load();
    if (before % 2 == 0 && sequence.load(std::memory_order_relaxed) == before)
      return true;
    pause_for(attempt);
  }
  return false;
}

void Table::Slot::assign(uint64_t new_key, const Value& value) {
  key.store(new_key, std::memory_order_release); // release: `sequence` is seen odd before
  for (size_t i = 0; i < value.size(); ++i)
    words[i].store(value[i], std::memory_order_release);
}

void Table::Slot::found_by(uint32_t sweep) {
  uint32_t known = mark.load(std::memory_order_relaxed);
  while (known < sweep && !mark.compare_exchange_weak(known, sweep, std::memory_order_relaxed))
    ;
}

// Calls visit(slot) for the slots that may hold the key until one says true. The kernel numbers sockets one
// after the other, so that the low bits alone spread them evenly.
template <typename Visit> bool Table::any_in_sets(uint64_t key, Visit visit) const {
  for (int level = 0; level < most_levels; ++level) {
    Slot* all = slots(level);
    if (!all)
      return false;
    Slot* set = all + hash(key) % (capacity(level) / set_size) * set_size;
    for (size_t i = 0; i < set_size; ++i)
      if (visit(set[i]))
        return true;
  }
  return false;
}

Table::Slot* Table::locate(uint64_t key) const {
  Slot* found = nullptr;
  any_in_sets(key, [&](Slot& slot) {
    const bool hit = slot.key.load(std::memory_order_acquire) == key;
    if (hit)
      found = &slot;
    return hit;
  });
  return found;
}

bool Table::find(uint64_t key, Value& value) const {
  const Slot* slot = locate(key);
  return slot && slot->read(key, value);
}

// Into the first of the key's slots that has this key now: the same one, or 0.
bool Table::put_where(uint64_t expected, uint64_t key, const Value& value) {
  return any_in_sets(key, [&](Slot& slot) {
    if (slot.key.load(std::memory_order_relaxed) != expected || !slot.lock())
      return false;
    const bool mine = slot.key.load(std::memory_order_relaxed) == expected;
    if (mine) {
      slot.assign(key, value);
      slot.used.store(next_use(), std::memory_order_relaxed);
      slot.found_by(m_sweep.load(std::memory_order_seq_cst)); // a sweep that begins later finds the key
    }
    slot.unlock();
    return mine;
  });
}

bool Table::store(uint64_t key, const Value& value) {
  return put_where(key, key, value) || insert(key, value) || put_where(key, key, value);
}

bool Table::insert(uint64_t key, const Value& value) {
  const bool is_locked = m_inserting.lock();
  bool done = false;
  if (!locate(key)) {
    while (!(done = put_where(0, key, value)))
      if (!grow())
        break;
    m_count.fetch_add(done, std::memory_order_relaxed);
  }
  if (is_locked)
    m_inserting.unlock();
  return done;
}

bool Table::erase(uint64_t key) {
  Slot* slot = locate(key);
  if (!slot || !slot->lock())
    return false;
  const bool mine = slot->key.load(std::memory_order_relaxed) == key;
  if (mine) {
    slot->key.store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  slot->unlock();
  return mine;
}

uint64_t Table::clear_unless(Slot& slot, uint32_t found_alive, Value& value) {
  const auto is_dead = [&] {
    return slot.key.load(std::memory_order_relaxed) && slot.mark.load(std::memory_order_relaxed) != found_alive;
  };
  if (!is_dead() || !slot.lock())
    return 0;
  uint64_t key = 0;
  if (is_dead()) {
    key = slot.key.load(std::memory_order_relaxed);
    value = slot.load();
    slot.key.store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  slot.unlock();
  return key;
}

void Table::mend_after_fork() {
  m_inserting.mend();
  for_each_slot([&](Slot& slot) {
    if (!slot.is_locked())
      return;
    if (slot.key.exchange(0, std::memory_order_relaxed))
      m_count.fetch_sub(1, std::memory_order_relaxed);
    slot.mend();
  });
}

void Table::touch(uint64_t key) {
  if (Slot* slot = locate(key))
    slot->used.store(next_use(), std::memory_order_relaxed);
}

bool Table::is_crowded(uint64_t key) const {
  return slots(0) && !any_in_sets(key, [&](Slot& slot) {
           const uint64_t there = slot.key.load(std::memory_order_relaxed);
           return there == 0 || there == key;
         });
}

size_t Table::size() const {
  size_t total = 0;
  for (int level = 0; level < most_levels && slots(level); ++level)
    total += capacity(level);
  return total;
}

bool Table::needs_sweep(uint64_t key, size_t cost) {
  if (!is_crowded(key))
    return false;
  const bool may_all_live = m_count.load(std::memory_order_relaxed) <= cost;
  return (cost <= size() && !may_all_live) || !grow();
}

bool Table::begin_sweep() {
  int sweeper = m_sweeper.load(std::memory_order_relaxed);
  const int self = getpid();
  if (sweeper == self || !m_sweeper.compare_exchange_strong(sweeper, self, std::memory_order_acquire))
    return false;
  m_sweep.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

void Table::keep(uint64_t key) {
  if (Slot* slot = locate(key))
    slot->found_by(m_sweep.load(std::memory_order_relaxed));
}

bool Table::grow() {
  for (int level = 0; level < most_levels; ++level) {
    std::atomic<Slot*>& place = m_levels[level];
    if (place.load(std::memory_order_acquire))
      continue;
    const size_t bytes = capacity(level) * sizeof(Slot);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return false;
    Slot* expected = nullptr; // zeroed memory is free slots
    if (!place.compare_exchange_strong(expected, static_cast<Slot*>(memory), std::memory_order_acq_rel))
      munmap(memory, bytes); // another thread was faster: its level will do
    return true;
  }
  return false;
}

} // namespace socksify
