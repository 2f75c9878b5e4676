// SPDX-License-Identifier: MIT
#include "kernel/cookie_map.h"
#include "kernel/mapping.h"

namespace socksify {
namespace {

// Fibonacci hashing spreads consecutive numbers, as the kernel gives sockets, and multiples of any step.
size_t hash(uint64_t key) { return key * 0x9e3779b97f4a7c15 >> 40; }

} // namespace

bool CookieMap::Cell::read(uint64_t wanted, Value& value) const {
  return slot->read([&] {
    if (key->load(std::memory_order_acquire) != wanted)
      return false;
    value = slot->words.load();
    return true;
  });
}

void CookieMap::Cell::assign(uint64_t new_key, const Value& value) const {
  key->store(new_key, std::memory_order_release); // release: the odd sequence number is visible first
  slot->words.store(value);
}

void CookieMap::Slot::mark_alive(uint32_t sweep) {
  uint32_t known = mark.load(std::memory_order_relaxed);
  while (known < sweep && !mark.compare_exchange_weak(known, sweep, std::memory_order_relaxed))
    ;
}

// Calls visit(cell) for the cells that may hold the key until it returns true.
template <typename Visit> bool CookieMap::any_in_sets(uint64_t key, Visit visit) const {
  for (int level = 0; level < most_levels; ++level) {
    Keys* all = keys(level);
    if (!all)
      return false;
    const size_t set = hash(key) % sets(level);
    for (size_t i = 0; i < set_size; ++i)
      if (visit(cell(all, level, set, i)))
        return true;
  }
  return false;
}

CookieMap::Cell CookieMap::locate(uint64_t key) const {
  Cell found;
  any_in_sets(key, [&](Cell cell) {
    const bool hit = cell.key->load(std::memory_order_acquire) == key;
    if (hit)
      found = cell;
    return hit;
  });
  return found;
}

bool CookieMap::find(uint64_t key, Value& value) const {
  const Cell cell = locate(key);
  return cell && cell.read(key, value);
}

// Writes to the first of the key's cells whose present key is `expected`: the key itself, or 0 for a free cell.
bool CookieMap::put_where(uint64_t expected, uint64_t key, const Value& value) {
  return any_in_sets(key, [&](Cell cell) {
    if (!cell.holds(expected) || !cell.slot->lock())
      return false;
    const bool mine = cell.holds(expected);
    if (mine) {
      cell.assign(key, value);
      cell.slot->used.store(next_use(), std::memory_order_relaxed);
      // fetch_add, not a load: it is ordered against the one in begin_sweep(). Either this reads the number of the new
      // sweep, or that sweep sees the key.
      cell.slot->mark_alive(m_sweep.fetch_add(0, std::memory_order_acq_rel));
    }
    cell.slot->unlock();
    return mine;
  });
}

bool CookieMap::store(uint64_t key, const Value& value) {
  return put_where(key, key, value) || insert(key, value) || put_where(key, key, value);
}

bool CookieMap::insert(uint64_t key, const Value& value) {
  forks::add_observer(*this); // before anything can be half done at a fork
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
  const Cell cell = locate(key);
  if (!cell || !cell.slot->lock())
    return false;
  const bool mine = cell.holds(key);
  if (mine) {
    cell.key->store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  cell.slot->unlock();
  return mine;
}

uint64_t CookieMap::clear_unless(Cell cell, uint32_t found_alive, Value& value) {
  const auto is_dead = [&] { return !cell.holds(0) && cell.slot->mark.load(std::memory_order_relaxed) != found_alive; };
  if (!is_dead() || !cell.slot->lock())
    return 0;
  uint64_t key = 0;
  if (is_dead()) {
    key = cell.key->load(std::memory_order_relaxed);
    value = cell.slot->words.load();
    cell.key->store(0, std::memory_order_release);
    m_count.fetch_sub(1, std::memory_order_relaxed);
  }
  cell.slot->unlock();
  return key;
}

// Recounts, because another thread may have been between writing an entry and counting it.
void CookieMap::mend_after_fork() {
  m_inserting.mend();
  m_is_sweeping.store(false, std::memory_order_relaxed);
  size_t count = 0;
  for_each_cell([&](Cell cell) {
    if (cell.slot->is_locked()) {
      cell.key->store(0, std::memory_order_relaxed);
      cell.slot->mend();
    }
    count += !cell.holds(0);
  });
  m_count.store(count, std::memory_order_relaxed);
}

bool CookieMap::touch(uint64_t key, Value& value) {
  const Cell cell = locate(key);
  if (!cell || !cell.read(key, value))
    return false;
  cell.slot->used.store(next_use(), std::memory_order_relaxed);
  return true;
}

bool CookieMap::is_crowded(uint64_t key) const {
  return keys(0) && !any_in_sets(key, [&](Cell cell) { return cell.holds(0) || cell.holds(key); });
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
  if (m_is_sweeping.exchange(true, std::memory_order_acquire))
    return false;
  m_sweep.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

void CookieMap::keep(uint64_t key) {
  if (const Cell cell = locate(key))
    cell.slot->mark_alive(m_sweep.load(std::memory_order_relaxed));
}

// Keys are hashed, so even a few entries touch all pages of a level. Mapping the pages at once costs much less than
// faulting them in one by one. Large levels are exempt: there the pause would be felt.
bool CookieMap::grow() {
  constexpr size_t few = size_t{1} << 22;
  for (int level = 0; level < most_levels; ++level)
    if (!keys(level)) {
      const int flags = MAP_PRIVATE | (bytes(level) <= few ? MAP_POPULATE : 0);
      return publish_mapping(m_levels[level], bytes(level), flags) != nullptr;
    }
  return false;
}

} // namespace socksify
