// SPDX-License-Identifier: MIT
// System calls: their result, or an errno as a negative number. Not by the C library, as to start one takes longer than
// all that the launcher does; but by it where this is HOSTED: for a sanitizer, or a processor that is not written of
// here.
#pragma once
#include <asm/unistd.h>
#include <cstddef>
#include <sys/mman.h>
#include <type_traits>
#ifdef HOSTED
#include <cerrno>
#include <unistd.h>
#endif

namespace socksify::kernel {

#ifdef HOSTED
inline long or_errno(long result) { return result == -1 ? -errno : result; }
inline long call_words(long number, long a, long b, long c, long d, long e, long f) {
  return or_errno(::syscall(number, a, b, c, d, e, f));
}
#elif defined __x86_64__ && defined __LP64__
inline long call_words(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return number;
}
#elif defined __aarch64__ && defined __LP64__
inline long call_words(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                   x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the Makefile builds this HOSTED, or the system calls are to be written here, and the entry in start.cc"
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

// These two have other arguments on some processors: mmap's are behind a pointer (i386, s390), an offset of 64 bits is
// two words, of which the first may have to have an even number (arm, mips).
#ifdef HOSTED
inline long read_at(long fd, void* to, size_t size, unsigned long offset) {
  return or_errno(::pread(static_cast<int>(fd), to, size, static_cast<off_t>(offset)));
}
inline long map(size_t size) {
  return or_errno(
      word(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))); // MAP_FAILED is -1
}
#else
inline long read_at(long fd, void* to, size_t size, unsigned long offset) {
  return call(__NR_pread64, fd, to, size, offset);
}
inline long map(size_t size) {
  return call(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
#endif

} // namespace socksify::kernel
