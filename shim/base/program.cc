// SPDX-License-Identifier: MIT
#include "base/program.h"
#include "base/fd.h"
#include "base/format.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>

// "If any headers of the output file are in a segment, the linker provides this" (ld(1)): our own file's header.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace socksify {
namespace {

constexpr size_t first_line_size = 256; // BINPRM_BUF_SIZE: the kernel looks no further
constexpr uint8_t our_order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

size_t read_at(int fd, void* to, size_t size, uint64_t offset) {
  const ssize_t length = pread(fd, to, size, static_cast<off_t>(offset));
  return length < 0 ? 0 : static_cast<size_t>(length);
}

template <typename Value> bool read_value(int fd, Value& value, uint64_t offset) {
  return read_at(fd, &value, sizeof value, offset) == sizeof value;
}

// --- scripts

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// "#! /path argument"
void read_script(std::string_view text, Program& program) {
  program.kind = Program::Kind::script;
  text.remove_prefix(2);
  const auto line = trim(split_at(text, text.find('\n')).before);
  const auto [interpreter, argument, has_argument] = split_at(line, line.find_first_of(" \t"));
  program.interpreter.append(FMT_COMPILE("{}"), interpreter);
  program.argument.append(FMT_COMPILE("{}"), trim(argument));
}

// --- ELF files

constexpr uint64_t padded(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Go's linker leaves a note with the owner "Go" in every program.
bool has_go_note(int fd, uint64_t offset, uint64_t size) {
  constexpr int most_notes = 64;
  const uint64_t end = offset + size;
  ElfW(Nhdr) note; // the same words in both classes
  for (int i = 0; i < most_notes && offset < end && read_value(fd, note, offset); ++i) {
    char owner[3];
    if (note.n_namesz == sizeof owner && read_value(fd, owner, offset + sizeof note) &&
        std::memcmp(owner, "Go", 3) == 0)
      return true;
    offset += sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
  }
  return false;
}

void read_interpreter(int fd, uint64_t offset, uint64_t size, Program& program) {
  char path[PATH_MAX];
  const size_t length = read_at(fd, path, std::min<uint64_t>(size, sizeof path), offset);
  program.interpreter.clear();
  program.interpreter.append(FMT_COMPILE("{}"), std::string_view{path, strnlen(path, length)});
}

template <typename Segment> void read_segment(int fd, const Segment& segment, Program& program) {
  if (segment.p_type == PT_INTERP)
    read_interpreter(fd, segment.p_offset, segment.p_filesz, program);
  else if (segment.p_type == PT_NOTE)
    program.is_go |= has_go_note(fd, segment.p_offset, segment.p_filesz);
}

template <typename Header, typename Segment> void read_elf(int fd, std::string_view beginning, Program& program) {
  constexpr size_t most_segments = 64; // real programs have about 13
  Header header;
  if (beginning.size() < sizeof header)
    return;
  std::memcpy(&header, beginning.data(), sizeof header);
  program.machine = header.e_ident[EI_DATA] == our_order ? header.e_machine : EM_NONE;
  Segment segments[most_segments];
  const size_t count = std::min<size_t>(header.e_phnum, most_segments);
  const size_t size = read_at(fd, segments, count * sizeof(Segment), header.e_phoff);
  for (size_t i = 0; i < size / sizeof(Segment); ++i)
    read_segment(fd, segments[i], program);
}

void read_content(int fd, Program& program) {
  char bytes[first_line_size];
  const std::string_view beginning{bytes, read_at(fd, bytes, sizeof bytes, 0)};
  if (beginning.starts_with("#!"))
    return read_script(beginning, program);
  if (beginning.size() <= EI_CLASS || !beginning.starts_with(ELFMAG))
    return;
  program.kind = Program::Kind::elf;
  program.elf_class = static_cast<uint8_t>(beginning[EI_CLASS]);
  if (program.elf_class == ELFCLASS32)
    read_elf<Elf32_Ehdr, Elf32_Phdr>(fd, beginning, program);
  else
    read_elf<Elf64_Ehdr, Elf64_Phdr>(fd, beginning, program);
}

// If the mode changes the user or the group, or capabilities are gained, the dynamic linker runs in secure-execution
// mode and ignores LD_PRELOAD (ld.so(8)).
Program::Privileges read_privileges(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0)
    return Program::Privileges::none;
  constexpr mode_t set_group = S_ISGID | S_IXGRP;
  if (((status.st_mode & S_ISUID) && status.st_uid != getuid()) ||
      ((status.st_mode & set_group) == set_group && status.st_gid != getgid()))
    return Program::Privileges::set_id;
  if (getuid() != 0 && getxattr(path, "security.capability", nullptr, 0) > 0)
    return Program::Privileges::capabilities;
  return Program::Privileges::none;
}

// --- the library and the program

// The dynamic linker replaces $LIB, by a different name for each word size.
bool has_both_sizes(std::string_view preload) { return preload.find("$LIB") < preload.find(':'); }

bool is_for_us(const Program& program, std::string_view preload) {
  const unsigned own_class = __ehdr_start.e_ident[EI_CLASS], own_machine = __ehdr_start.e_machine;
  return (program.elf_class == own_class && program.machine == own_machine) ||
         (has_both_sizes(preload) && own_machine == EM_X86_64 && program.elf_class == ELFCLASS32 &&
          program.machine == EM_386);
}

// "/lib/ld-musl-x86_64.so.1": musl lacks functions that the library takes from the GNU C library.
bool is_musl(const Program& program) { return program.interpreter.view().find("ld-musl") != std::string_view::npos; }

} // namespace

Program inspect(const char* path) {
  const KeepErrno keep;
  Program program;
  const Fd fd(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)); // it may be a FIFO
  program.error = fd ? 0 : errno;
  program.kind = fd ? Program::Kind::unknown : Program::Kind::unreadable;
  read_content(fd.get(), program);
  if (!program.is_script())
    program.privileges = read_privileges(path);
  return program;
}

Obstacle obstacle_in(const Program& program, std::string_view preload) {
  if (program.is_elf() && !is_for_us(program, preload))
    return Obstacle::other_machine;
  // The kernel starts a dynamic linker only if a header asks for one.
  if (program.is_elf() && program.interpreter.view().empty())
    return Obstacle::is_static;
  if (program.is_elf() && is_musl(program))
    return Obstacle::other_libc;
  return program.privileges == Program::Privileges::set_id         ? Obstacle::set_id
         : program.privileges == Program::Privileges::capabilities ? Obstacle::capabilities
                                                                   : Obstacle::none;
}

const char* in_words(Obstacle obstacle) {
  switch (obstacle) {
  case Obstacle::none:
    return "";
  case Obstacle::other_machine:
    return "is for another kind of processor than the library";
  case Obstacle::is_static:
    return "is statically linked: LD_PRELOAD has no effect on it";
  case Obstacle::other_libc:
    return "is for the C library musl, the library for the GNU one";
  case Obstacle::set_id:
    return "is set-user-ID or set-group-ID: the system ignores LD_PRELOAD for it";
  case Obstacle::capabilities:
    return "has capabilities: the system ignores LD_PRELOAD for it";
  }
  return "";
}

} // namespace socksify
