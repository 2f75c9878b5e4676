// SPDX-License-Identifier: MIT
// Formatting: fmt, header-only, with formats compiled in. Without exceptions fmt would report a bad format by way of
// libstdc++; ours are checked by the compiler, so that nothing of it is needed at run time. A header of its own,
// because it is most of what the compiler has to read.
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
  const size_t room = Size - 1 - m_length;
  const auto result = fmt::format_to_n(m_text + m_length, room, format, arguments...);
  m_length += result.size < room ? result.size : room;
  m_text[m_length] = '\0';
}

} // namespace socksify
