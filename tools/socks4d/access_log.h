// SPDX-License-Identifier: MIT
// The access log. Any thread may write to it. If nobody reads it, lines are lost; the service never stalls.
#pragma once
#include "socks4d/base.h"
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

namespace socks4d {

// Writes a line if that is possible without waiting. A pipe takes up to 4096 bytes in one piece.
bool write_line(int fd, std::string_view line);

class AccessLog {
public:
  // A file to append to, "-" for standard output, or "" for no log. Throws Failure.
  explicit AccessLog(std::string file);

  bool is_enabled() const { return !m_file.empty(); }
  // `line` ends with a newline and has at most 4096 bytes.
  void write(std::string_view line);
  // After the file was renamed. Throws Failure and keeps writing to the old file.
  void reopen();
  uint64_t lost_lines() const { return m_lost_lines; }

private:
  const std::string m_file;
  std::mutex m_mutex;
  Fd m_fd;
  bool m_is_cut = false; // only a part of the last line was written
  std::atomic<uint64_t> m_lost_lines{0};
};

// A logfmt value in quotes. Nothing in it can end the field or the line.
std::string quoted(std::string_view text);

// 2026-11-25T06:30:00.123Z
std::string timestamp();

} // namespace socks4d
