// SPDX-License-Identifier: MIT
// The log: a line at a time, from any thread. A reader that does not read costs lines, never the service.
#pragma once
#include "base/fd.h"
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

namespace socksify {

// Writes a line of at most 4096 bytes, so much a pipe takes whole, if that can be done at once.
bool write_line(int fd, std::string_view line);

class Journal {
public:
  // A file to append to, "-" for the standard output, or "" for none. Throws Failure.
  explicit Journal(std::string file);

  bool is_kept() const { return !m_file.empty(); }
  // The line with its newline, of 4096 bytes at most.
  void write(std::string_view line);
  // After the file was renamed. Throws Failure, and goes on with the former one.
  void reopen();
  uint64_t lost() const { return m_lost; }

private:
  const std::string m_file;
  std::mutex m_mutex;
  Fd m_fd;
  bool m_is_cut = false; // the last line, within
  std::atomic<uint64_t> m_lost{0};
};

// As the value of a logfmt field: in quotes, and nothing in it that could end the field or the line.
std::string quoted(std::string_view text);

// 2026-11-25T06:30:00.123Z
std::string timestamp();

} // namespace socksify
