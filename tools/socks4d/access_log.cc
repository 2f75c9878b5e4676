// SPDX-License-Identifier: MIT
#include "socks4d/access_log.h"
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace socks4d {
namespace {

Fd open_log(const std::string& file) {
  if (file.empty())
    return Fd();
  if (file == "-")
    return Fd(check("cannot use standard output", ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)));
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd < 0)
    throw Failure("cannot write to the log " + file);
  return Fd(fd);
}

// Asks poll() first: standard output is shared with other processes, so the server must not set O_NONBLOCK on it.
size_t write_now(int fd, std::string_view text) {
  pollfd output{fd, POLLOUT, 0};
  const ssize_t written = ::poll(&output, 1, 0) > 0 ? ::write(fd, text.data(), text.size()) : 0;
  return written > 0 ? static_cast<size_t>(written) : 0;
}

} // namespace

bool write_line(int fd, std::string_view line) { return write_now(fd, line) == line.size(); }

AccessLog::AccessLog(std::string file) : m_file(std::move(file)), m_fd(open_log(m_file)) {}

// A full disk may accept only a part of a line. That part gets its newline before the next line is written, so that
// the fields of two sessions never mix.
void AccessLog::write(std::string_view line) {
  const std::lock_guard lock(m_mutex);
  if (m_is_cut)
    m_is_cut = !write_line(m_fd.get(), "\n");
  const size_t written = m_is_cut ? 0 : write_now(m_fd.get(), line);
  if (written == line.size())
    return;
  ++m_lost_lines;
  m_is_cut |= written > 0;
}

void AccessLog::reopen() {
  Fd fd = open_log(m_file);
  const std::lock_guard lock(m_mutex);
  m_fd = std::move(fd);
  m_is_cut = false;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (c >= ' ' && c <= '~')
      result += c;
    else
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return result + '"';
}

std::string timestamp() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto since_epoch = now.time_since_epoch().count();
  const time_t seconds = since_epoch / 1000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, since_epoch % 1000);
}

} // namespace socks4d
