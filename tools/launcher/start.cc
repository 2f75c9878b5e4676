// SPDX-License-Identifier: MIT
// The process's first instruction, and the little that the compiler expects of a C library. Left out where
// hosted.cc takes its place.
#include "launcher/launch.h"
#include <cstddef>

#if defined __x86_64__
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n bl begin\n");
#endif

extern "C" {

[[noreturn, gnu::used]] void begin(long* stack) {
  const auto arguments = reinterpret_cast<char**>(stack + 1);
  socksify::launcher::launch(arguments, arguments + *stack + 1);
}

void* memcpy(void* to, const void* from, size_t size) {
  auto target = static_cast<char*>(to);
  auto source = static_cast<const char*>(from);
  while (size-- != 0)
    *target++ = *source++;
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto target = static_cast<char*>(to);
  auto source = static_cast<const char*>(from);
  if (target <= source)
    return memcpy(to, from, size);
  while (size-- != 0)
    target[size] = source[size];
  return to;
}

void* memset(void* to, int byte, size_t size) {
  for (auto target = static_cast<char*>(to); size != 0; --size)
    *target++ = static_cast<char>(byte);
  return to;
}

int memcmp(const void* one, const void* other, size_t size) {
  auto a = static_cast<const unsigned char*>(one), b = static_cast<const unsigned char*>(other);
  for (; size != 0; --size, ++a, ++b)
    if (*a != *b)
      return *a - *b;
  return 0;
}

void* memchr(const void* text, int byte, size_t size) {
  for (auto at = static_cast<const unsigned char*>(text); size != 0; --size, ++at)
    if (*at == static_cast<unsigned char>(byte))
      return const_cast<unsigned char*>(at);
  return nullptr;
}

size_t strlen(const char* text) {
  size_t length = 0;
  while (text[length])
    ++length;
  return length;
}

} // extern "C"
