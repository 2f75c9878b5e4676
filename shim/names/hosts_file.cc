// SPDX-License-Identifier: MIT
#include "names/hosts_file.h"
#include "base/fd.h"
#include "kernel/real.h"
#include <cstring>
#include <fcntl.h>
#include <strings.h>

namespace socksify::hosts_file {
namespace {

bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r'; }

// The words of a file, line by line, without its comments.
class Words {
public:
  explicit Words(const char* path) : m_file(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    m_is_whole = m_file || is_absent(errno);
    advance();
  }

  bool at_end() const { return m_next < 0; }
  bool is_whole() const { return m_is_whole; } // no read failed so far

  // Gets the next word of the line. False at the end of the line, after moving to the next one.
  bool next(Name& word) {
    while (is_blank(m_next))
      advance();
    if (m_next == '#')
      while (!ends_line())
        advance();
    if (ends_line()) {
      advance();
      return false;
    }
    word.clear();
    for (; !ends_line() && !is_blank(m_next) && m_next != '#'; advance())
      word.add(static_cast<char>(m_next));
    return true;
  }

private:
  bool ends_line() const { return m_next == '\n' || m_next < 0; }

  void refill() {
    ssize_t got;
    do
      got = m_file ? REAL(read)(m_file.get(), m_buffer, sizeof m_buffer) : 0;
    while (got < 0 && errno == EINTR);
    m_is_whole = m_is_whole && (got >= 0 || is_absent(errno));
    m_at = 0;
    m_end = got > 0 ? static_cast<size_t>(got) : 0;
  }

  void advance() {
    if (m_at == m_end)
      refill();
    m_next = m_end ? static_cast<unsigned char>(m_buffer[m_at++]) : -1;
  }

  Fd m_file;
  char m_buffer[2048];
  size_t m_at = 0, m_end = 0;
  int m_next = -1; // the next character; -1: none
  bool m_is_whole;
};

bool same(const Name& one, const Name& other) {
  return one.view().size() == other.view().size() && strncasecmp(one.c_str(), other.c_str(), one.view().size()) == 0;
}

// Calls visit(address, first name, name) for every name until it returns false. False if some may be missing.
template <typename Visit> bool for_each_name(const char* path, Visit visit) {
  KeepErrno keep;
  const Uninterrupted whole;
  Words words{path};
  while (!words.at_end()) {
    Name address, first, name;
    if (!words.next(address))
      continue;
    const auto ip = parse_ip(address.view());
    for (bool is_first = true; words.next(name); is_first = false) {
      if (is_first)
        first = name;
      if (ip && !visit(*ip, first, name))
        return true;
    }
  }
  return words.is_whole();
}

} // namespace

LookupResult look_up(const Name& wanted, const char* path) {
  LookupResult answer;
  answer.is_unsure = !for_each_name(path, [&](const Ip& ip, const Name& first, const Name& name) {
    if (!same(name, wanted))
      return true;
    if (!answer)
      answer.name = first;
    answer.add(ip);
    return true;
  });
  return answer;
}

std::optional<Name> name_of(const Ip& wanted, const char* path) {
  std::optional<Name> found;
  for_each_name(path, [&](const Ip& ip, const Name& first, const Name&) {
    if (std::memcmp(ip.bytes, wanted.bytes, sizeof ip.bytes) == 0)
      found = first;
    return !found;
  });
  return found;
}

} // namespace socksify::hosts_file
