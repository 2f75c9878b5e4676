// SPDX-License-Identifier: MIT
// System calls: their result, or an errno as a negative number. Not by the C library, as to start one takes longer than
// all that the launcher does.
#pragma once
#include <asm/unistd.h>
#include <type_traits>

namespace socksify::kernel {

#if defined __x86_64__
inline long call_words(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return number;
}
#elif defined __aarch64__
inline long call_words(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                   x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the system calls of this architecture are to be written, and its entry in start.cc"
#endif

template <typename Argument> long word(Argument argument) {
  if constexpr (std::is_null_pointer_v<Argument>)
    return 0;
  else if constexpr (std::is_pointer_v<Argument>)
    return reinterpret_cast<long>(argument);
  else
    return static_cast<long>(argument);
}

template <typename... Arguments> long call(long number, Arguments... arguments) {
  const long words[6] = {word(arguments)...};
  return call_words(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

} // namespace socksify::kernel
