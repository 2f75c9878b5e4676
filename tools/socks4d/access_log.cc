// SPDX-License-Identifier: MIT
#include "socks4d/access_log.h"
#include "common/system_call.h"
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace socksify {
namespace {

Fd open_log(const std::string& file) {
  if (file.empty())
    return Fd();
  if (file == "-")
    return Fd(check("cannot use the standard output", ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)));
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd < 0)
    throw Failure("cannot write to the log " + file);
  return Fd(fd);
}

// O_NONBLOCK of the standard output is not ours to set.
size_t write_now(int fd, std::string_view text) {
  pollfd room{fd, POLLOUT, 0};
  const ssize_t written = ::poll(&room, 1, 0) > 0 ? ::write(fd, text.data(), text.size()) : 0;
  return written > 0 ? static_cast<size_t>(written) : 0;
}

} // namespace

bool write_line(int fd, std::string_view line) { return write_now(fd, line) == line.size(); }

Journal::Journal(std::string file) : m_file(std::move(file)), m_fd(open_log(m_file)) {}

// A disk that becomes full may take a part of a line, which is ended before there is another one: nobody's fields are
// to look like somebody else's.
void Journal::write(std::string_view line) {
  const std::lock_guard lock(m_mutex);
  if (m_is_cut)
    m_is_cut = !write_line(m_fd.get(), "\n");
  const size_t written = m_is_cut ? 0 : write_now(m_fd.get(), line);
  if (written == line.size())
    return;
  ++m_lost;
  m_is_cut |= written > 0;
}

void Journal::reopen() {
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
  const auto since = now.time_since_epoch().count();
  const time_t seconds = since / 1000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, since % 1000);
}

} // namespace socksify
