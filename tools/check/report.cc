// SPDX-License-Identifier: MIT
#include "check/report.h"
#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace socksify::check {
namespace {

const char* word_for(Level level) {
  switch (level) {
  case Level::ok:
    return "ok";
  case Level::warning:
    return "warn";
  case Level::failure:
    return "FAIL";
  }
  return "";
}

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The length of the character at the front; 0 if it is not UTF-8, or overlong, a surrogate or too large (RFC 3629, 3).
size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const auto second = static_cast<unsigned char>(text.size() > 1 ? text[1] : 0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  for (size_t i = 1; i < length; ++i)
    if (!continues(text, i))
      return 0;
  const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return is_wrong ? 0 : length;
}

// Escapes what a terminal would obey, and what would make two lines of one.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (const auto byte = static_cast<unsigned char>(c); byte < ' ' || byte == 0x7F)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  return result;
}

} // namespace

std::string to_json(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const size_t length = character_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0)
      result += "\\ufffd";
    else if (first < ' ' || first == 0x7F)
      result += fmt::format("\\u{:04x}", first);
    else if (first == '"' || first == '\\')
      result += fmt::format("\\{}", text[0]);
    else
      result += text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result + '"';
}

void Report::add_all(const Report& other, bool is_dispensable) {
  for (auto finding : other.m_findings) {
    if (is_dispensable && finding.level == Level::failure)
      finding.level = Level::warning;
    m_findings.push_back(std::move(finding));
  }
}

bool Report::works() const {
  return std::none_of(m_findings.begin(), m_findings.end(),
                      [](const Finding& one) { return one.level == Level::failure; });
}

std::string Report::as_text() const {
  std::string result;
  for (const auto& [level, about, text] : m_findings)
    result += fmt::format("{:<4} {:<8} {}\n", word_for(level), about, printable(text));
  return result;
}

std::string Report::as_json() const {
  std::string result = fmt::format("{{\"works\": {}, \"findings\": [", works());
  const char* separator = "";
  for (const auto& [level, about, text] : m_findings) {
    result += fmt::format("{}\n  {{\"result\": \"{}\", \"about\": {}, \"text\": {}}}", separator, word_for(level),
                          to_json(about), to_json(text));
    separator = ",";
  }
  return result + "\n]}\n";
}

} // namespace socksify::check
