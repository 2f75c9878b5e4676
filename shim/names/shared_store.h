// SPDX-License-Identifier: MIT
// Bytes that processes share: a file or, without one, memory of this process and its children.
//
// The file is read and written by system calls, never mapped: if another process truncates it, or the file system is
// full, that is a short read or an errno here, but would be a SIGBUS in a mapping. It is open only while it is used, so
// that the program has no additional descriptor. Its lock is the kernel's, which ends with its holder. A sandbox may
// end a program for a system call that it does not use: so only read, write, lseek and fcntl.
#pragma once
#include "kernel/process_lock.h"
#include <cstddef>
#include <cstdint>

namespace socksify {

class SharedStore {
public:
  // A store in memory: this header, followed by the bytes. All zeros at first.
  struct alignas(8) Memory {
    ProcessLock lock;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  enum class Use { existing, create };

  // A file that only this user can read or write. Invalid, with errno, if that fails.
  static SharedStore file(const char* path, Use use = Use::create);
  static SharedStore memory(Memory* start, size_t size); // `size`: of the bytes

  SharedStore() = default;
  SharedStore(SharedStore&& other) noexcept = default;
  SharedStore& operator=(SharedStore&& other) noexcept = default;
  ~SharedStore() { unlock(); }

  explicit operator bool() const { return m_fd || m_memory; }

  // True for a file without contents, and for any memory, which is nobody else's.
  bool may_be_initialized() const;

  // Holds the lock until the store is destroyed. False if others hold it for all these milliseconds, or it cannot be
  // locked.
  [[nodiscard]] bool lock(int milliseconds);

  // Bytes beyond the end are zeros. False, with errno, if there may be bytes that cannot be read.
  [[nodiscard]] bool read(size_t offset, void* bytes, size_t size) const;
  [[nodiscard]] bool write(size_t offset, const void* bytes, size_t size);

private:
  bool read_file(size_t offset, void* bytes, size_t size, size_t& got) const;
  bool read_memory(size_t offset, void* bytes, size_t size, size_t& got) const;
  bool write_file(size_t offset, const void* bytes, size_t size);
  bool write_memory(size_t offset, const void* bytes, size_t size);
  int try_lock();
  void unlock();

  Fd m_fd;
  Memory* m_memory = nullptr;
  size_t m_size = 0;
  bool m_is_locked = false;
};

} // namespace socksify
