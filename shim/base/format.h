// SPDX-License-Identifier: MIT
// Formats with "{}" for each field, checked by the compiler. The work is done by fmt in format.cc: its headers take
// most of the time of any file that includes them.
#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace socksify {

// Text or a number.
class Field {
public:
  Field(std::string_view text) : m_text(text), m_is_text(true) {}
  Field(const char* text) : Field(std::string_view{text}) {}
  template <std::integral Number> Field(Number number) : m_number(number), m_is_text(false) {
    static_assert(!std::same_as<Number, char> && !std::same_as<Number, bool>);
  }
  bool is_text() const { return m_is_text; }
  std::string_view text() const { return m_text; }
  int64_t number() const { return m_number; }

private:
  union {
    std::string_view m_text;
    int64_t m_number;
  };
  bool m_is_text;
};

// A literal. It compiles only with one "{}" for each field.
template <typename... Arguments> class Format {
public:
  template <size_t Size> consteval Format(const char (&text)[Size]) : m_text(text, Size - 1) {
    size_t fields = 0;
    for (size_t i = 0; i + 1 < m_text.size(); ++i)
      fields += m_text[i] == '{' && m_text[i + 1] == '}';
    if (fields != sizeof...(Arguments))
      differs_in_number();
  }
  std::string_view text() const { return m_text; }

private:
  static void differs_in_number() {} // not constexpr, so calling it is a compile error

  std::string_view m_text;
};

template <typename... Arguments> using FormatOf = std::type_identity_t<Format<Arguments...>>;

// Writes at most `size` bytes and returns how many.
size_t format_to(char* to, size_t size, std::string_view format, std::span<const Field> fields);

} // namespace socksify
