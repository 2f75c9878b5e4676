// SPDX-License-Identifier: MIT
// A map from a 64-bit key to a small value, made for the inside of other people's programs: no heap, no lock
// that a thread could wait for without end, safe in signal handlers and after fork.
//
// Slots stand in sets of eight, in levels that are added when needed, the first one too, and never move. The keys of a
// set share a cache line: to see that none is the right one costs one miss for a level. A slot is guarded by a sequence
// number, odd while it or its key is written: readers try again, writers take it by compare-and-exchange. Nobody waits
// for ever: a signal handler that interrupted the writer of this very slot finds no entry. A child of fork() has no
// other threads that could end their writing: mend_after_fork() does.
#pragma once
#include "kernel/fork.h"
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace socksify {

class CookieMap : private forks::Observer {
public:
  using Value = std::array<uint64_t, 5>;

  constexpr CookieMap() : Observer(nullptr, [](Observer& self) { static_cast<CookieMap&>(self).mend_after_fork(); }) {}

  bool empty() const { return m_count.load(std::memory_order_relaxed) == 0; }

  bool find(uint64_t key, Value& value) const;

  // Writes the value, new or in place of the old one. False if there is no room and no memory for more.
  bool store(uint64_t key, const Value& value);

  // Writes the value if there is none. False if there is one, or no room.
  bool insert(uint64_t key, const Value& value);

  // Lets modify(Value&) change the entry while no one else can; false if there is none or modify says false.
  template <typename Modify> bool update(uint64_t key, Modify modify) {
    const Place place = locate(key);
    if (!place || !place.slot->lock())
      return false;
    Value value = place.slot->load();
    const bool changed = place.holds(key) && modify(value);
    if (changed)
      place.assign(key, value);
    place.slot->unlock();
    return changed;
  }

  // True if this call did it.
  bool erase(uint64_t key);

  // The same as find(), and makes the entry the one that was used last.
  bool use(uint64_t key, Value& value);

  // Calls visit(key, value, use) for every entry; `use` is greater the later the entry was touched or stored.
  template <typename Visit> void for_each(Visit visit) const {
    for_each_place([&](Place place) {
      Value value;
      const uint64_t key = place.key->load(std::memory_order_relaxed);
      if (key && place.read(key, value))
        visit(key, value, place.slot->used.load(std::memory_order_relaxed));
    });
  }

  // True if all slots for this key are taken, and it is time to sweep: not where a sweep had to look at more, `cost`,
  // than the table has slots, nor where that may be all that the table has; it grows then.
  bool needs_sweep(uint64_t key, size_t cost);

  // A sweep: begin, keep every key that is alive, end; the others are then forgotten. What is stored meanwhile stays.
  // `end_sweep` is told how many keys the sweep had to look at, so that sweeps stay rare, and calls forgotten(key,
  // value).
  // There is one at a time: false if another thread is at it.
  bool begin_sweep();
  void keep(uint64_t key);
  template <typename Forgotten> void end_sweep(size_t looked_at, Forgotten forgotten) {
    const uint32_t sweep = m_sweep.load(std::memory_order_relaxed);
    size_t total = 0, alive = 0;
    for_each_place([&](Place place) {
      Value value;
      ++total;
      if (const uint64_t key = clear_unless(place, sweep, value))
        forgotten(key, value);
      alive += !place.holds(0);
    });
    // A sweep costs as much as it has to look at: with room for as many more, that is a constant for each store.
    if (alive > total / 2 || looked_at > total)
      grow();
    m_sweeper.store(0, std::memory_order_release);
  }

private:
  // In a child of fork(): entries that another thread was writing are lost.
  void mend_after_fork();

  struct Lock {
    std::atomic<uint32_t> sequence{0};

    bool lock();
    void unlock();
    bool is_locked() const { return sequence.load(std::memory_order_relaxed) % 2; }
    void mend() { sequence.fetch_add(is_locked(), std::memory_order_relaxed); } // where its holder is no more
  };

  struct Slot : Lock {
    std::atomic<uint32_t> mark{0}; // the sweep that found it alive
    std::atomic<uint64_t> used{0};
    std::atomic<uint64_t> words[std::tuple_size_v<Value>]{};

    Value load() const;
    void found_by(uint32_t sweep);
  };

  static constexpr size_t set_size = 8;
  struct alignas(64) Keys { // of a set; 0: free
    std::atomic<uint64_t> of[set_size];
  };
  static_assert(sizeof(Keys) == 64);

  // One of the eight of a set.
  struct Place {
    std::atomic<uint64_t>* key = nullptr;
    Slot* slot = nullptr;

    explicit operator bool() const { return key; }
    bool holds(uint64_t wanted) const { return key->load(std::memory_order_relaxed) == wanted; }
    bool read(uint64_t wanted, Value& value) const;
    void assign(uint64_t new_key, const Value& value) const;
  };

  static constexpr int most_levels = 6; // 64 slots, then eight times as many each: two million

  // Frees the place of an entry that this sweep has not found alive, and returns its key; else 0.
  uint64_t clear_unless(Place place, uint32_t found_alive, Value& value);
  bool is_crowded(uint64_t key) const;
  size_t size() const;
  bool put_where(uint64_t expected, uint64_t key, const Value& value);
  bool grow();
  // A level is the keys of all its sets, and then their slots.
  static size_t sets(int level) { return size_t{8} << (3 * level); }
  static size_t bytes(int level) { return sets(level) * (sizeof(Keys) + set_size * sizeof(Slot)); }
  Keys* keys(int level) const { return m_levels[level].load(std::memory_order_acquire); }
  static Place place(Keys* all, int level, size_t set, size_t number) {
    return {&all[set].of[number], reinterpret_cast<Slot*>(all + sets(level)) + set * set_size + number};
  }
  Place locate(uint64_t key) const;
  template <typename Visit> bool any_in_sets(uint64_t key, Visit visit) const;
  template <typename Visit> void for_each_place(Visit visit) const {
    for (int level = 0; level < most_levels; ++level)
      if (Keys* all = keys(level))
        for (size_t set = 0; set < sets(level); ++set)
          for (size_t i = 0; i < set_size; ++i)
            visit(place(all, level, set, i));
  }
  uint64_t next_use() { return m_use.fetch_add(1, std::memory_order_relaxed) + 1; }

  std::atomic<Keys*> m_levels[most_levels]{};
  std::atomic<size_t> m_count{0};
  std::atomic<uint64_t> m_use{0};
  std::atomic<uint32_t> m_sweep{0};
  std::atomic<int> m_sweeper{0}; // the process that sweeps: what another one has left when it forked does not count
  Lock m_inserting;              // so that no key is put twice
};

// A small plain value as the table keeps it.
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
