// SPDX-License-Identifier: MIT
// Bytes that processes share: a file, or where there can be none, memory of this process and its children.
//
// The file is read and written by system calls and never mapped: what another process has cut off, or what a full file
// system does not take, is a short read or an errno here, and would be a SIGBUS in a mapping. It is open only while
// it is used, so that the program has no descriptor more. The lock is the kernel's, which ends with its holder.
#pragma once
#include "base/fd.h"
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace socksify {

class Store {
public:
  // A store that is no file: this, and the bytes behind it. All zeros at first.
  struct alignas(8) Memory {
    std::atomic<int> holder; // a process
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  // A file of this user's that nobody else can write, made if it is not there. Invalid with errno if there is none.
  static Store file(const char* path);
  static Store memory(Memory* start, size_t size); // of the bytes

  Store() = default;
  Store(Store&& other) noexcept = default;
  Store& operator=(Store&& other) noexcept = default;
  ~Store() { unlock(); }

  explicit operator bool() const { return m_fd || m_memory; }

  // False if others have held it for all of these milliseconds, or there is no locking it. Held until the end of the
  // store.
  [[nodiscard]] bool lock(int milliseconds);

  // What is not there is zeros. False with errno: it may be there, but cannot be read.
  [[nodiscard]] bool read(size_t offset, void* bytes, size_t size) const;
  [[nodiscard]] bool write(size_t offset, const void* bytes, size_t size);

private:
  int try_lock();
  void unlock();

  Fd m_fd;
  Memory* m_memory = nullptr;
  size_t m_size = 0;
  bool m_is_locked = false;
};

} // namespace socksify
