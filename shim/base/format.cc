// SPDX-License-Identifier: MIT
#include "base/format.h"
#include <algorithm>
#include <cstring>
// Without exceptions fmt would report errors through libstdc++, which is not there at run time.
#if !__cpp_exceptions
#define FMT_THROW(x) __builtin_abort()
#define FMT_ASSERT(condition, message) ((void)0)
#endif
#include <fmt/format.h>

namespace socksify {
namespace {

class Output {
public:
  Output(char* to, size_t size) : m_to(to), m_size(size) {}
  void add(std::string_view text) {
    const size_t length = std::min(text.size(), m_size - m_written);
    std::memcpy(m_to + m_written, text.data(), length);
    m_written += length;
  }
  void add(const Field& field) {
    if (field.is_text())
      return add(field.text());
    const fmt::format_int digits{field.number()};
    add({digits.data(), digits.size()});
  }
  size_t written() const { return m_written; }

private:
  char* m_to;
  size_t m_size;
  size_t m_written = 0;
};

} // namespace

size_t format_to(char* to, size_t size, std::string_view format, std::span<const Field> fields) {
  Output output{to, size};
  for (const Field& value : fields) {
    const size_t field = format.find("{}");
    output.add(std::string_view{format.data(), field});
    output.add(value);
    format.remove_prefix(field + 2);
  }
  output.add(format);
  return output.written();
}

} // namespace socksify
