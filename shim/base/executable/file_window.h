// SPDX-License-Identifier: MIT
// Reads a file through a window: what lies close together, as the headers of a program do, costs one system call.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace socksify {

class FileWindow {
public:
  explicit FileWindow(int fd) : m_fd(fd) {}

  // Fewer bytes than `size` at the end of the file, or after an error: then errno is set. Else it is kept.
  size_t read(void* to, size_t size, uint64_t offset);

  template <typename Value> bool read(Value& value, uint64_t offset) {
    return read(&value, sizeof value, offset) == sizeof value;
  }

  // At most `size` bytes at this offset, valid until the next call. REQUIRES: size <= capacity.
  std::string_view view(size_t size, uint64_t offset);

  static constexpr size_t capacity = 1024;

private:
  size_t available(uint64_t offset) const;
  void move_to(uint64_t offset);

  const int m_fd;
  uint64_t m_start = 0;
  size_t m_length = 0;
  char m_bytes[capacity];
};

} // namespace socksify
