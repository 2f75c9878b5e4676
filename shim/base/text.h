// SPDX-License-Identifier: MIT
// Text in fixed buffers.
#pragma once
#include "base/format.h"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <strings.h>

namespace socksify {

// Text of at most Size - 1 bytes, always terminated by NUL. Longer text is cut off.
template <size_t Size> class Text {
public:
  template <typename... Arguments> void append(FormatOf<Arguments...> format, const Arguments&... arguments) {
    append(format.text(), std::array<Field, sizeof...(Arguments)>{arguments...});
  }
  // The same for a format that was checked before.
  void append(std::string_view format, std::span<const Field> fields) {
    m_length += format_to(m_text + m_length, Size - 1 - m_length, format, fields);
    m_text[m_length] = '\0';
  }
  void add(char character) { add(std::string_view{&character, 1}); }
  void add(std::string_view text) {
    const size_t length = text.size() < Size - 1 - m_length ? text.size() : Size - 1 - m_length;
    std::copy_n(text.data(), length, m_text + m_length);
    m_text[m_length += length] = '\0';
  }
  void clear() { m_text[m_length = 0] = '\0'; }
  const char* c_str() const { return m_text; }
  std::string_view view() const { return {m_text, m_length}; }

private:
  size_t m_length = 0;
  char m_text[Size]{};
};

// Splits a text at a position. string_view::substr() can throw, which would need libstdc++.
struct Halves {
  std::string_view before, after; // without the separator
  bool found;
};

// Without these characters at either end.
inline std::string_view trim(std::string_view text, std::string_view characters) {
  while (!text.empty() && characters.find(text.front()) != characters.npos)
    text.remove_prefix(1);
  while (!text.empty() && characters.find(text.back()) != characters.npos)
    text.remove_suffix(1);
  return text;
}

inline Halves split_at(std::string_view text, size_t position) {
  if (position >= text.size())
    return {text, {}, false};
  return {{text.data(), position}, {text.data() + position + 1, text.size() - position - 1}, true};
}

// True if `url` begins with `scheme`, in upper or lower case.
inline bool has_scheme(std::string_view url, std::string_view scheme) {
  return url.size() >= scheme.size() && strncasecmp(url.data(), scheme.data(), scheme.size()) == 0;
}

} // namespace socksify
