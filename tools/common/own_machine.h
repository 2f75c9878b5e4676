// SPDX-License-Identifier: MIT
// The kind of program that we are, and so the library that is installed with us.
#pragma once
#include <link.h>

// "If any headers of the output file are in a segment, the linker provides this" (ld(1)): our own file's.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace socksify {

// True if a program of this kind (EI_CLASS, e_machine) can load it. `has_both_sizes`: or the one for i386 beside it.
inline bool fits_library(unsigned size, unsigned machine, bool has_both_sizes) {
  const unsigned own_size = __ehdr_start.e_ident[EI_CLASS], own_machine = __ehdr_start.e_machine;
  return (size == own_size && machine == own_machine) ||
         (has_both_sizes && own_machine == EM_X86_64 && size == ELFCLASS32 && machine == EM_386);
}

} // namespace socksify
