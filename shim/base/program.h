// SPDX-License-Identifier: MIT
// What an executable file is, and whether the dynamic linker would load the library into it. Shared by the library, the
// launcher and --check. No heap, and errno is as it was.
#pragma once
#include "base/text.h"
#include <cstdint>
#include <limits.h>

namespace socksify {

struct Program {
  enum class Kind : uint8_t {
    unreadable, // `error` says why
    script,     // it begins with "#!"
    elf,
    unknown, // execvp(3) and the shells run it as a script for /bin/sh
  };
  // For which the dynamic linker ignores LD_PRELOAD. A script has none: the kernel ignores them there.
  enum class Privileges : uint8_t { none, set_id, capabilities };

  Kind kind = Kind::unreadable;
  Privileges privileges = Privileges::none;
  bool is_go = false;    // elf: it was linked by Go, whose programs connect without the C library
  uint8_t elf_class = 0; // elf: ELFCLASS32 or ELFCLASS64
  uint16_t machine = 0;  // elf: EM_X86_64 and so on; EM_NONE for the other byte order
  int error = 0;
  // Of a script: its interpreter. Of an ELF file: its dynamic linker. Empty if it names none.
  Text<PATH_MAX> interpreter;
  Text<256> argument; // of a script: the rest of its first line

  bool is_script() const { return kind == Kind::script; }
  bool is_elf() const { return kind == Kind::elf; }
};

// Looks at the file at `path`, not at the interpreter that it names.
Program inspect(const char* path);

// The kernel follows so many interpreters that are scripts themselves, and then says ELOOP.
inline constexpr int most_interpreters = 5;

// Why the library is not loaded into a program.
enum class Obstacle : uint8_t { none, other_machine, is_static, other_libc, set_id, capabilities };

// `preload` is what LD_PRELOAD will be. If its first path has $LIB in it, there is a library for each word size.
Obstacle obstacle_in(const Program& program, std::string_view preload);

// "is statically linked: LD_PRELOAD has no effect on it".
const char* in_words(Obstacle obstacle);

} // namespace socksify
