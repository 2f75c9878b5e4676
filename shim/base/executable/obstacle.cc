// SPDX-License-Identifier: MIT
#include "base/executable/obstacle.h"
#include <link.h>

// "If any headers of the output file are in a segment, the linker provides this" (ld(1)): our own file's header.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace socksify {
namespace {

// The dynamic linker replaces $LIB by a different name for each word size.
bool has_both_sizes(std::string_view preload) { return preload.find("$LIB/libsocksify.so") != preload.npos; }

bool is_intel(const Program& program) {
  return (program.elf_class == ELFCLASS64 && program.machine == EM_X86_64) ||
         (program.elf_class == ELFCLASS32 && program.machine == EM_386);
}

bool is_for_us(const Program& program, std::string_view preload) {
  const unsigned own_class = __ehdr_start.e_ident[EI_CLASS], own_machine = __ehdr_start.e_machine;
  return (program.elf_class == own_class && program.machine == own_machine) ||
         ((own_machine == EM_X86_64 || own_machine == EM_386) && is_intel(program) && has_both_sizes(preload));
}

// The name of the dynamic linker is that of the C library: "/lib/ld-musl-x86_64.so.1", "/lib/ld64-uClibc.so.1",
// "/system/bin/linker64" (Android).
Obstacle other_libc(const Program& program) {
  const auto path = program.interpreter.view();
  const auto has = [path](std::string_view part) { return path.find(part) != path.npos; };
  return has("ld-musl")                                                        ? Obstacle::musl
         : has("-uClibc") || path.ends_with("/linker") || has("/bin/linker64") ? Obstacle::other_libc
                                                                               : Obstacle::none;
}

bool passes_library_on(const Program& program) { return program.language == Program::Language::launcher; }

Obstacle obstacle_in_elf(const Program& program, std::string_view preload) {
  if (!is_for_us(program, preload))
    return Obstacle::other_machine;
  // The kernel starts a dynamic linker only if a header asks for one.
  if (program.interpreter.view().empty())
    return program.is_linker || passes_library_on(program) ? Obstacle::none : Obstacle::is_static;
  if (const auto obstacle = other_libc(program); obstacle != Obstacle::none)
    return obstacle;
  return program.language == Program::Language::go       ? Obstacle::go
         : program.language == Program::Language::pascal ? Obstacle::pascal
                                                         : Obstacle::none;
}

} // namespace

Obstacle obstacle_in(const Program& program, std::string_view preload) {
  if (const auto obstacle = program.is_elf() ? obstacle_in_elf(program, preload) : Obstacle::none;
      obstacle != Obstacle::none)
    return obstacle;
  switch (program.privileges) {
  case Program::Privileges::set_id:
    return Obstacle::set_id;
  case Program::Privileges::capabilities:
    return Obstacle::capabilities;
  case Program::Privileges::other_ids:
    return Obstacle::other_ids;
  case Program::Privileges::none:
    break;
  }
  return Obstacle::none;
}

const char* in_words(Obstacle obstacle) {
  switch (obstacle) {
  case Obstacle::none:
    return "";
  case Obstacle::other_machine:
    return "is for another kind of processor than the library";
  case Obstacle::is_static:
    return "is statically linked: LD_PRELOAD has no effect on it";
  case Obstacle::musl:
    return "is for the C library musl, the library for the GNU one";
  case Obstacle::other_libc:
    return "is for another C library than the GNU one";
  case Obstacle::go:
    return "is written in Go: it does not connect through the C library";
  case Obstacle::pascal:
    return "is written in Free Pascal: it does not connect through the C library";
  case Obstacle::set_id:
    return "is set-user-ID or set-group-ID: the system ignores LD_PRELOAD for it";
  case Obstacle::capabilities:
    return "has capabilities: the system ignores LD_PRELOAD for it";
  case Obstacle::other_ids:
    return "would run with different real and effective IDs: the system ignores LD_PRELOAD then";
  case Obstacle::unreachable:
    return "cannot load the library: it cannot be opened from here";
  }
  return "";
}

} // namespace socksify
