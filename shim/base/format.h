// SPDX-License-Identifier: MIT
// Formatting with fmt, header-only and with compiled formats. Without exceptions fmt would report a bad format through
// libstdc++; the compiler checks our formats, so libstdc++ is not needed at run time. This is a separate header because
// fmt takes most of the compile time.
#pragma once
#include "base/text.h"
#if !__cpp_exceptions
#define FMT_THROW(x) __builtin_abort()
#define FMT_ASSERT(condition, message) ((void)0)
#endif
#include <fmt/compile.h>

namespace socksify {

template <size_t Size>
template <typename Format, typename... Arguments>
void Text<Size>::append(const Format& format, const Arguments&... arguments) {
  const size_t space = Size - 1 - m_length;
  const auto result = fmt::format_to_n(m_text + m_length, space, format, arguments...);
  m_length += result.size < space ? result.size : space;
  m_text[m_length] = '\0';
}

} // namespace socksify
