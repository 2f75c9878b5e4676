// SPDX-License-Identifier: MIT
// A file descriptor that is ours to close. One that belongs to the program stays a plain int.
#pragma once
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace socksify {

// errno as it was on entry is errno as it will be on leaving.
class KeepErrno {
public:
  KeepErrno() = default;
  ~KeepErrno() { errno = m_kept; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

private:
  const int m_kept = errno;
};

// Why open() failed: there is no such file, or not for us. Any other errno is of this moment, and tells nothing of the
// file.
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
