// SPDX-License-Identifier: MIT
#include "socks4d/policy/statement.h"
#include "socks4d/access_log.h"
#include "socks4d/policy/policy_file.h"
#include <algorithm>
#include <fmt/format.h>

namespace socks4d {

Statement::Statement(std::string_view line, std::string_view file, unsigned line_number)
    : m_rest(line), m_file(file), m_line_number(line_number) {
  advance();
}

std::string_view Statement::next_word(std::string_view expected) {
  if (at_end())
    reject("", fmt::format("expected {} at the end of the line", expected));
  const auto word = m_word;
  advance();
  return word;
}

void Statement::expect_end() const {
  if (!at_end())
    reject(m_word, "unexpected word");
}

void Statement::reject(std::string_view word, std::string_view reason) const {
  const auto where = fmt::format("{}:{}: ", m_file, m_line_number);
  throw ConfigError(where + (word.empty() ? std::string(reason) : fmt::format("{}: {}", quoted(word), reason)));
}

void Statement::advance() {
  constexpr std::string_view blanks = " \t\r\v\f";
  m_rest.remove_prefix(std::min(m_rest.find_first_not_of(blanks), m_rest.size()));
  m_word = m_rest.substr(0, m_rest.find_first_of(blanks));
  m_rest.remove_prefix(m_word.size());
}

} // namespace socks4d
