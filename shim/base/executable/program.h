// SPDX-License-Identifier: MIT
// What an executable file is. Shared by the library, the launcher and --check. No heap, less than 1.5 KiB of stack, and
// errno is kept: the library looks at files in a child of vfork(), or on the stack of a signal handler.
#pragma once
#include "base/text.h"
#include <cstdint>
#include <fcntl.h>

namespace socksify {

struct Program {
  enum class Kind : uint8_t {
    unreadable, // `error` says why
    script,     // it begins with "#!"
    elf,
    unknown, // execvp(3) and the shells run it as a script for /bin/sh
  };
  // Why the dynamic linker would ignore LD_PRELOAD. A script has none: the kernel ignores them there.
  enum class Privileges : uint8_t {
    none,
    set_id,
    capabilities,
    other_ids, // the program inherits different real and effective IDs
  };
  // Programs that need no C library, as they make system calls themselves. `launcher` is socksify-exec.
  enum class Language : uint8_t { other, go, pascal, launcher };

  Kind kind = Kind::unreadable;
  Privileges privileges = Privileges::none;
  Language language = Language::other; // elf
  bool is_linker = false;              // elf: a dynamic linker, which runs the program that its arguments name
  uint8_t elf_class = 0;               // elf: ELFCLASS32 or ELFCLASS64
  uint16_t machine = 0;                // elf: EM_X86_64 and so on; EM_NONE for the other byte order
  int error = 0;
  // Of a script: its interpreter. Of an ELF file: its dynamic linker; the end of it if it is longer. Empty if it names
  // none.
  Text<256> interpreter;
  Text<256> argument; // of a script: the rest of its first line
  Text<64> sanitizer; // elf: the sanitizer's runtime that it needs, such as libasan.so.8

  bool is_script() const { return kind == Kind::script; }
  bool is_elf() const { return kind == Kind::elf; }
};

// A file as execveat(2) names it.
struct Location {
  int directory = AT_FDCWD;
  const char* path = "";
  bool is_descriptor = false; // `directory` is the file itself
};

// Looks at one file, not at the interpreter that it names.
void inspect(const Location& location, Program& program);
Program inspect(const char* path);

// True for the file of a sanitizer's runtime. It has to be the first library of a program.
bool names_sanitizer(std::string_view name);

// The kernel follows so many interpreters that are scripts themselves, and then says ELOOP.
inline constexpr int most_interpreters = 5;

} // namespace socksify
