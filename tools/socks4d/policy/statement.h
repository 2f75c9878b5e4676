// SPDX-License-Identifier: MIT
// One line of the configuration file, word by word.
#pragma once
#include <string_view>

namespace socks4d {

class Statement {
public:
  Statement(std::string_view line, std::string_view file, unsigned line_number);

  bool at_end() const { return m_word.empty(); }
  // Returns the current word and moves on. Throws ConfigError, saying what was `expected`, at the end of the line.
  std::string_view next_word(std::string_view expected);
  void expect_end() const;
  // Throws ConfigError with the file and the line; `word` may be empty.
  [[noreturn]] void reject(std::string_view word, std::string_view reason) const;

private:
  void advance();

  std::string_view m_rest, m_word, m_file;
  unsigned m_line_number;
};

} // namespace socks4d
