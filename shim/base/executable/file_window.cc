// SPDX-License-Identifier: MIT
#include "base/executable/file_window.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace socksify {

size_t FileWindow::available(uint64_t offset) const {
  return offset >= m_start && offset - m_start < m_length ? m_length - (offset - m_start) : 0;
}

void FileWindow::move_to(uint64_t offset) {
  const int before = errno;
  ssize_t length;
  while ((length = pread(m_fd, m_bytes, capacity, static_cast<off_t>(offset))) < 0 && errno == EINTR)
    errno = before;
  m_start = offset;
  m_length = length < 0 ? 0 : static_cast<size_t>(length);
}

size_t FileWindow::read(void* to, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const auto part = view(std::min(size - done, capacity), offset + done);
    if (part.empty())
      break;
    std::memcpy(static_cast<char*>(to) + done, part.data(), part.size());
    done += part.size();
  }
  return done;
}

std::string_view FileWindow::view(size_t size, uint64_t offset) {
  if (available(offset) < size)
    move_to(offset);
  return {m_bytes + (offset - m_start), std::min(size, available(offset))};
}

} // namespace socksify
