// SPDX-License-Identifier: MIT
#include "kernel/cookie_map.h"
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

bool CookieMap::Lock::lock() {
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

void CookieMap::Lock::unlock() {
  sequence.fetch_add(1, std::memory_order_release);
  --held;
}

CookieMap::Value CookieMap::Slot::load() const {
  Value value;
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = words[i].load(std::memory_order_acquire); // acquire: the check of `sequence` comes after
  return value;
}

bool CookieMap::Place::read(uint64_t wanted, Value& value) const {
  for (int attempt = 0; is_patient(attempt); ++attempt) {
    const uint32_t before = slot->sequence.load(std::memory_order_acquire);
    if (key->load(std::memory_order_acquire) != wanted)
      return false;
    value = slot->load();
    if (before % 2 == 0 && slot->sequence.load(std::memory_order_relaxed) == before)
      return true;
    pause_for(attempt);
  }
  return false;
}

void CookieMap::Place::assign(uint64_t new_key, const Value& value) const {
  key->store(new_key, std::memory_order_release); // release: `sequence` is seen odd before
  for (size_t i = 0; i < value.size(); ++i)
    slot->words[i].store(value[i], std::memory_order_release);
}

void CookieMap::Slot::found_by(uint32_t sweep) {
  uint32_t known = mark.load(std::memory_order_relaxed);
  while (known < sweep && !mark.compare_exchange_weak(known, sweep, std::memory_order_relaxed))
    ;
}

// Calls visit(place) for the places that may hold the key until one says true.
template <typename Visit> bool CookieMap::any_in_sets(uint64_t key, Visit visit) const {
  for (int level = 0; level < most_levels; ++level) {
    Keys* all = keys(level);
    if (!all)
      return false;
    const size_t set = hash(key) % sets(level);
    for (size_t i = 0; i < set_size; ++i)
      if (visit(place(all, level, set, i)))
        return true;
  }
  return false;
}

CookieMap::Place CookieMap::locate(uint64_t key) const {
  Place found;
  any_in_sets(key, [&](Place place) {
    const bool hit = place.key->load(std::memory_order_acquire) == key;
    if (hit)
      found = place;
    return hit;
  });
  return found;
}

bool CookieMap::find(uint64_t key, Value& value) const {
  const Place place = locate(key);
  return place && place.read(key, value);
}

// Into the first of the key's places that has this key now: the same one, or 0.
bool CookieMap::put_where(uint64_t expected, uint64_t key, const Value& value) {
  return any_in_sets(key, [&](Place place) {
    if (!place.holds(expected) || !place.slot->lock())
      return false;
    const bool mine = place.holds(expected);
    if (mine) {
      place.assign(key, value);
      place.slot->used.store(next_use(), std::memory_order_relaxed);
      // Not a load: of two that modify the same, the later one sees what came before the other. Either this is the mark
      // of the sweep, or the sweep finds the key.
      place.slot->found_by(m_sweep.fetch_add(0, std::memory_order_acq_rel));
    }
    place.slot->unlock();
    return mine;
  });
}

bool CookieMap::store(uint64_t key, const Value& value) {
  return put_where(key, key, value) || insert(key, value) || put_where(key, key, value);
}

bool CookieMap::insert(uint64_t key, const Value& value) {
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

bool CookieMap::erase(uint64_t key) {
  const Place place = locate(key);
  if (!place || !place.slot->lock())
    return false;
  const bool mine = place.holds(key);
  if (mine) {
    place.key->store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  place.slot->unlock();
  return mine;
}

uint64_t CookieMap::clear_unless(Place place, uint32_t found_alive, Value& value) {
  const auto is_dead = [&] {
    return !place.holds(0) && place.slot->mark.load(std::memory_order_relaxed) != found_alive;
  };
  if (!is_dead() || !place.slot->lock())
    return 0;
  uint64_t key = 0;
  if (is_dead()) {
    key = place.key->load(std::memory_order_relaxed);
    value = place.slot->load();
    place.key->store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  place.slot->unlock();
  return key;
}

// Counts again: the other thread may have been anywhere between its entry and the count.
void CookieMap::mend_after_fork() {
  m_inserting.mend();
  size_t count = 0;
  for_each_place([&](Place place) {
    if (place.slot->is_locked()) {
      place.key->store(0, std::memory_order_relaxed);
      place.slot->mend();
    }
    count += !place.holds(0);
  });
  m_count.store(count, std::memory_order_relaxed);
}

bool CookieMap::use(uint64_t key, Value& value) {
  const Place place = locate(key);
  if (!place || !place.read(key, value))
    return false;
  place.slot->used.store(next_use(), std::memory_order_relaxed);
  return true;
}

bool CookieMap::is_crowded(uint64_t key) const {
  return keys(0) && !any_in_sets(key, [&](Place place) { return place.holds(0) || place.holds(key); });
}

size_t CookieMap::size() const {
  size_t total = 0;
  for (int level = 0; level < most_levels && keys(level); ++level)
    total += sets(level) * set_size;
  return total;
}

bool CookieMap::needs_sweep(uint64_t key, size_t cost) {
  if (!is_crowded(key))
    return false;
  const bool may_all_live = m_count.load(std::memory_order_relaxed) <= cost;
  return (cost <= size() && !may_all_live) || !grow();
}

bool CookieMap::begin_sweep() {
  int sweeper = m_sweeper.load(std::memory_order_relaxed);
  const int self = getpid();
  if (sweeper == self || !m_sweeper.compare_exchange_strong(sweeper, self, std::memory_order_acquire))
    return false;
  m_sweep.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

void CookieMap::keep(uint64_t key) {
  if (const Place place = locate(key))
    place.slot->found_by(m_sweep.load(std::memory_order_relaxed));
}

// Sets are taken without order, so that a small part of a level's entries would fault in all of its pages, one by one:
// that costs several times as much as to have them at once. Not of the last levels, where it would be felt as a pause.
bool CookieMap::grow() {
  forks::add(*this);
  constexpr size_t few = size_t{1} << 22;
  for (int level = 0; level < most_levels; ++level) {
    std::atomic<Keys*>& place = m_levels[level];
    if (place.load(std::memory_order_acquire))
      continue;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (bytes(level) <= few ? MAP_POPULATE : 0);
    void* memory = mmap(nullptr, bytes(level), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
      return false;
    Keys* expected = nullptr; // zeroed memory is free places
    if (!place.compare_exchange_strong(expected, static_cast<Keys*>(memory), std::memory_order_acq_rel))
      munmap(memory, bytes(level)); // another thread was faster: its level will do
    return true;
  }
  return false;
}

} // namespace socksify
