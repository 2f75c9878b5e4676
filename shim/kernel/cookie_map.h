// SPDX-License-Identifier: MIT
// A map from a 64-bit key, such as a socket's cookie, to a small value. It has to work inside other people's programs:
// it uses no heap, every wait is bounded, and it is safe in signal handlers and after fork().
//
// Cells come in sets of eight, sets in levels. Levels are mapped when they are needed, the first one too, and never
// move. The eight keys of a set share a cache line, so a miss costs one line per level. A SequenceLock guards each
// cell: readers retry, writers lock it.
#pragma once
#include "kernel/fork.h"
#include "kernel/sequence_lock.h"
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace socksify {

class CookieMap : private forks::Observer {
public:
  using Words = GuardedWords<5>;
  using Value = Words::Value;

  constexpr CookieMap() : Observer(nullptr, [](Observer& self) { static_cast<CookieMap&>(self).mend_after_fork(); }) {}

  bool empty() const { return m_count.load(std::memory_order_relaxed) == 0; }

  bool find(uint64_t key, Value& value) const;

  // Adds the entry or replaces it. False if there is no free cell and no memory for more.
  bool store(uint64_t key, const Value& value);

  // Adds the entry. False if the key exists already, or there is no memory.
  bool insert(uint64_t key, const Value& value);

  // Lets modify(Value&) change the entry while no one else can. False if there is no entry, or modify returns false.
  template <typename Modify> bool update(uint64_t key, Modify modify) {
    const Cell cell = locate(key);
    if (!cell || !cell.slot->lock())
      return false;
    Value value = cell.slot->words.load();
    const bool changed = cell.holds(key) && modify(value);
    if (changed)
      cell.assign(key, value);
    cell.slot->unlock();
    return changed;
  }

  // True if this call removed it.
  bool erase(uint64_t key);

  // Like find(), and makes the entry the most recently used one.
  bool touch(uint64_t key, Value& value);

  // Calls visit(key, value, used) for every entry. `used` is greater for entries that were touched or stored later.
  template <typename Visit> void for_each(Visit visit) const {
    for_each_cell([&](Cell cell) {
      Value value;
      const uint64_t key = cell.key->load(std::memory_order_relaxed);
      if (key && cell.read(key, value))
        visit(key, value, cell.slot->used.load(std::memory_order_relaxed));
    });
  }

  // True if all cells for this key are taken and a sweep is worth its cost, the number of things it looks at. If the
  // sweep looks at more than the map has cells, or every entry may be alive, the map grows instead.
  bool needs_sweep(uint64_t key, size_t cost);

  // A sweep: begin, keep() every key that is alive, end. The end drops all other entries, except those stored since the
  // beginning, and calls forgotten(key, value) for each. `looked_at` is how much the sweep looked at; a map that is
  // too small for that grows, so that sweeps stay rare. begin_sweep() is false while another thread sweeps.
  bool begin_sweep();
  void keep(uint64_t key);
  template <typename Forgotten> void end_sweep(size_t looked_at, Forgotten forgotten) {
    const uint32_t sweep = m_sweep.load(std::memory_order_relaxed);
    size_t total = 0, alive = 0;
    for_each_cell([&](Cell cell) {
      Value value;
      ++total;
      if (const uint64_t key = clear_unless(cell, sweep, value))
        forgotten(key, value);
      alive += !cell.holds(0);
    });
    // With as many free cells as a sweep looks at, its cost per store is constant.
    if (alive > total / 2 || looked_at > total)
      grow();
    m_is_sweeping.store(false, std::memory_order_release);
  }

private:
  // In a child of fork(): drops the entries that other threads were writing.
  void mend_after_fork();

  struct Slot : SequenceLock {
    std::atomic<uint32_t> mark{0}; // the last sweep that found it alive
    std::atomic<uint64_t> used{0};
    Words words;

    void mark_alive(uint32_t sweep);
  };

  static constexpr size_t set_size = 8;
  struct alignas(64) Keys { // of one set; 0: free
    std::atomic<uint64_t> of[set_size];
  };
  static_assert(sizeof(Keys) == 64);

  // One of the eight of a set: its key and its slot, which are stored apart.
  struct Cell {
    std::atomic<uint64_t>* key = nullptr;
    Slot* slot = nullptr;

    explicit operator bool() const { return key; }
    bool holds(uint64_t wanted) const { return key->load(std::memory_order_relaxed) == wanted; }
    bool read(uint64_t wanted, Value& value) const;
    void assign(uint64_t new_key, const Value& value) const;
  };

  static constexpr int most_levels = 6; // 64 cells, and each level eight times the one before: two million

  // Frees the cell if this sweep did not find its entry alive, and returns the key; else 0.
  uint64_t clear_unless(Cell cell, uint32_t found_alive, Value& value);
  bool is_crowded(uint64_t key) const;
  size_t size() const;
  bool put_where(uint64_t expected, uint64_t key, const Value& value);
  bool grow();
  // A level is the keys of all its sets, followed by their slots.
  static size_t sets(int level) { return size_t{8} << (3 * level); }
  static size_t bytes(int level) { return sets(level) * (sizeof(Keys) + set_size * sizeof(Slot)); }
  Keys* keys(int level) const { return m_levels[level].load(std::memory_order_acquire); }
  static Cell cell(Keys* all, int level, size_t set, size_t number) {
    return {&all[set].of[number], reinterpret_cast<Slot*>(all + sets(level)) + set * set_size + number};
  }
  Cell locate(uint64_t key) const;
  template <typename Visit> bool any_in_sets(uint64_t key, Visit visit) const;
  template <typename Visit> void for_each_cell(Visit visit) const {
    for (int level = 0; level < most_levels; ++level)
      if (Keys* all = keys(level))
        for (size_t set = 0; set < sets(level); ++set)
          for (size_t i = 0; i < set_size; ++i)
            visit(cell(all, level, set, i));
  }
  uint64_t next_use() { return m_use.fetch_add(1, std::memory_order_relaxed) + 1; }

  std::atomic<Keys*> m_levels[most_levels]{};
  std::atomic<size_t> m_count{0};
  std::atomic<uint64_t> m_use{0};
  std::atomic<uint32_t> m_sweep{0};
  std::atomic<bool> m_is_sweeping{false};
  SequenceLock m_inserting; // held to add a key, so that no key is added twice
};

// A small plain value as the map stores it.
template <typename Entry> CookieMap::Value pack(const Entry& entry) {
  static_assert(std::is_trivially_copyable_v<Entry> && sizeof entry <= sizeof(CookieMap::Value));
  CookieMap::Value value{};
  std::memcpy(value.data(), &entry, sizeof entry);
  return value;
}

template <typename Entry> Entry unpack(const CookieMap::Value& value) {
  Entry entry;
  std::memcpy(static_cast<void*>(&entry), value.data(), sizeof entry);
  return entry;
}

} // namespace socksify
