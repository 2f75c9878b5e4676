// SPDX-License-Identifier: MIT
// Guards a few words of memory against half-done writes. The sequence number is odd while a writer is active; a reader
// copies the words and tries again if the number was odd or has changed.
//
// No signal handler runs while its thread writes, so none waits for itself. Every wait is bounded all the same: in a
// child of fork() the other threads are gone, so nobody finishes their writes. mend() releases the lock there.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace socksify {

class SequenceLock {
public:
  // False if another writer does not finish in time.
  [[nodiscard]] bool lock();
  void unlock();

  bool is_locked() const { return m_sequence.load(std::memory_order_relaxed) % 2; }
  void mend() { m_sequence.fetch_add(is_locked(), std::memory_order_relaxed); }

  // Runs copy() until no writer interferes. False if copy() returns false or a writer does not finish in time.
  template <typename Copy> [[nodiscard]] bool read(Copy copy) const {
    for (int attempt = 0; is_patient(attempt); ++attempt) {
      const uint32_t before = m_sequence.load(std::memory_order_acquire);
      if (!copy())
        return false;
      if (before % 2 == 0 && m_sequence.load(std::memory_order_relaxed) == before)
        return true;
      pause_for(attempt);
    }
    return false;
  }

private:
  static bool is_patient(int attempt);
  static void pause_for(int attempt);

  std::atomic<uint32_t> m_sequence{0};
};

// The words that a SequenceLock guards. They are atomic because readers run while a writer stores.
template <size_t Count> class GuardedWords {
public:
  using Value = std::array<uint64_t, Count>;

  Value load() const {
    Value value;
    for (size_t i = 0; i < Count; ++i)
      value[i] = m_words[i].load(std::memory_order_acquire); // acquire: the sequence number is checked afterwards
    return value;
  }
  void store(const Value& value) {
    for (size_t i = 0; i < Count; ++i)
      m_words[i].store(value[i], std::memory_order_release); // release: the odd number is visible first
  }

private:
  std::atomic<uint64_t> m_words[Count]{};
};

} // namespace socksify
