// SPDX-License-Identifier: MIT
#include "base/executable/machine_code.h"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/syscall.h>

namespace socksify::machine_code {

#ifdef __x86_64__
namespace {

constexpr char syscall_instruction[] = {0x0f, 0x05};
constexpr char mov_to_eax = '\xb8'; // with the number after it
constexpr ptrdiff_t near = 48;      // bytes: setting the other arguments takes this much at most

bool is_wait(uint32_t number) {
  return number == SYS_epoll_wait || number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}

bool loads_wait(const char* at, const char* end) {
  uint32_t number;
  for (; end - at > static_cast<ptrdiff_t>(sizeof number); ++at) {
    std::memcpy(&number, at + 1, sizeof number);
    if (*at == mov_to_eax && is_wait(number))
      return true;
  }
  return false;
}

// The second byte of the next instruction that enters the kernel. That byte is rare; the first begins many
// instructions.
const char* next_entry(const char* at, const char* end) {
  while (++at < end) {
    at = static_cast<const char*>(std::memchr(at, syscall_instruction[1], static_cast<size_t>(end - at)));
    if (!at || at[-1] == syscall_instruction[0])
      return at;
  }
  return nullptr;
}

} // namespace

bool waits_by_epoll(std::string_view code) {
  const char *const start = code.data(), *const end = start + code.size();
  for (const char* at = next_entry(start, end); at; at = next_entry(at, end))
    if (loads_wait(at - std::min(at - start, near), at))
      return true;
  return false;
}
#else
bool waits_by_epoll(std::string_view) { return false; }
#endif

} // namespace socksify::machine_code
