// SPDX-License-Identifier: MIT
// A file descriptor that we own and close. The program's descriptors stay plain ints.
#pragma once
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace socksify {

// Restores errno at the end of the scope.
class KeepErrno {
public:
  KeepErrno() = default;
  ~KeepErrno() { errno = m_kept; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

private:
  const int m_kept = errno;
};

// True if open() failed because the file does not exist or is not accessible. Any other errno may be temporary and says
// nothing about the file.
inline bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM || error == EROFS || error == ELOOP ||
         error == EISDIR || error == ENXIO;
}

class Fd {
public:
  Fd() = default;
  explicit Fd(int fd) : m_fd(fd) {}
  Fd(Fd&& other) noexcept : m_fd(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return m_fd; }
  explicit operator bool() const { return m_fd >= 0; }
  int release() { return std::exchange(m_fd, -1); }
  void reset() {
    if (m_fd < 0)
      return;
    KeepErrno keep;
    ::close(release());
  }

private:
  int m_fd = -1;
};

} // namespace socksify
