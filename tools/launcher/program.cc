// SPDX-License-Identifier: MIT
#include "launcher/program.h"
#include "common/own_machine.h"
#include "launcher/kernel.h"
#include "launcher/say.h"
#include "launcher/start_facts.h"
#include <cerrno>
#include <elf.h>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>

namespace socksify::launcher {
namespace {

// An interpreter may be a script, too; after so many the kernel says ELOOP.
constexpr int most_interpreters = 5;

bool read_at(long fd, void* into, size_t size, unsigned long offset) {
  return kernel::read_at(fd, into, size, offset) == static_cast<long>(size);
}

union Beginning {
  Elf64_Ehdr elf;
  Elf32_Ehdr elf32;
  char text[257];

  // What comes before the addresses is the same in both.
  bool is_32() const { return elf.e_ident[EI_CLASS] == ELFCLASS32; }
};

class Check {
public:
  Check(const char* program, const Library& library, char** environment) : m_program(program), m_facts(environment) {
    // Where there is a library for each word size, it is left to the dynamic linker which: PREFIX/$LIB/...
    const std::string_view preload{library.preload};
    m_has_both_sizes = preload.find("$LIB") < preload.find(':');
  }

  void look_at(const char* path, int depth = 0) {
    Beginning beginning{};
    const long fd = kernel::call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (m_interpreter && fd == -ENOENT)
      fail_without(path);
    // What may only be executed hides what it is.
    if (fd < 0 && fd != -EACCES)
      refuse(cannot_run, fd == -EMFILE ? " cannot be looked at: too many files are open"
                                       : " cannot be looked at: the system reports an error");
    const long size = kernel::read_at(fd, beginning.text, sizeof beginning.text - 1, 0);
    const std::string_view text{beginning.text, size > 0 ? static_cast<size_t>(size) : 0};
    if (text.size() > SELFMAG && text.starts_with(ELFMAG))
      look_at_elf(fd, beginning);
    kernel::call(__NR_close, fd);
    if (!text.starts_with("#!"))
      look_at_privileges(path);
    else if (char* const interpreter = interpreter_in(beginning.text); *interpreter && depth < most_interpreters)
      look_at(m_interpreter = interpreter, depth + 1); // that the script is set-user-ID means nothing
  }

private:
  [[noreturn]] void refuse(Status status, std::string_view reason) {
    fail(status, {m_program, m_interpreter ? ": its interpreter " : "", m_interpreter ? m_interpreter : "", reason});
  }

  // Cuts the path out of "#! /path argument". Where there is none, a shell runs it, as for execvp(3).
  static char* interpreter_in(char* line) {
    char* path = line + 2;
    while (*path == ' ' || *path == '\t')
      ++path;
    char* end = path;
    while (*end && *end != ' ' && *end != '\t' && *end != '\n')
      ++end;
    *end = '\0';
    return path;
  }

  // The kernel takes the carriage return of "#!/bin/sh\r\n" for a part of the name; a terminal would not show it.
  [[noreturn]] void fail_without(std::string_view path) {
    const size_t end = path.find('\r');
    if (end == path.npos)
      refuse(not_found, " does not exist");
    m_interpreter[end] = '\0';
    refuse(not_found, "\\r does not exist: the line ends with a carriage return");
  }

  // The kernel starts no dynamic linker where no header asks for one.
  void look_at_elf(long fd, const Beginning& beginning) {
    const bool is_32 = beginning.is_32();
    if (!fits_library(beginning.elf.e_ident[EI_CLASS], beginning.elf.e_machine, m_has_both_sizes))
      refuse(our_failure, " is for another kind of processor than the library");
    const unsigned long linker = is_32 ? linker_in<Elf32_Phdr>(fd, beginning.elf32.e_phoff, beginning.elf32.e_phnum)
                                       : linker_in<Elf64_Phdr>(fd, beginning.elf.e_phoff, beginning.elf.e_phnum);
    if (!linker && is_launcher(fd))
      return;
    if (!linker)
      refuse(our_failure, " is statically linked: LD_PRELOAD has no effect on it");
    if (is_musl(fd, linker))
      refuse(our_failure, " is for the C library musl, the library for the GNU one");
  }

  // It passes LD_PRELOAD on.
  static bool is_launcher(long fd) {
    struct statx it, we;
    return kernel::call(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &it) == 0 &&
           kernel::call(__NR_statx, AT_FDCWD, "/proc/self/exe", 0, STATX_INO, &we) == 0 && it.stx_ino == we.stx_ino &&
           it.stx_dev_major == we.stx_dev_major && it.stx_dev_minor == we.stx_dev_minor;
  }

  // Where in the file the name of the dynamic linker is; 0: nowhere.
  template <typename Header> static unsigned long linker_in(long fd, unsigned long place, unsigned count) {
    for (; count; --count, place += sizeof(Header))
      if (Header segment; read_at(fd, &segment, sizeof segment, place) && segment.p_type == PT_INTERP)
        return segment.p_offset;
    return 0;
  }

  // "/lib/ld-musl-x86_64.so.1": it would look in vain for what the GNU C library alone has.
  static bool is_musl(long fd, unsigned long place) {
    char name[256]{};
    kernel::read_at(fd, name, sizeof name - 1, place);
    return std::string_view{name}.find("ld-musl") != std::string_view::npos;
  }

  // Where the mode changes the user or the group, or capabilities are gained, the dynamic linker ignores LD_PRELOAD.
  void look_at_privileges(const char* path) {
    struct statx status;
    if (kernel::call(__NR_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &status) != 0)
      return;
    constexpr unsigned set_group = S_ISGID | S_IXGRP;
    const unsigned mode = status.stx_mode;
    if (((mode & S_ISUID) && status.stx_uid != m_facts.user) ||
        ((mode & set_group) == set_group && status.stx_gid != m_facts.group))
      refuse(our_failure, " is set-user-ID or set-group-ID: the system ignores LD_PRELOAD for it");
    if (m_facts.user != 0 && kernel::call(__NR_getxattr, path, "security.capability", nullptr, 0) > 0)
      refuse(our_failure, " has capabilities: the system ignores LD_PRELOAD for it");
  }

  const char* m_program;
  char* m_interpreter = nullptr;
  const StartFacts m_facts;
  bool m_has_both_sizes;
};

} // namespace

void check_program(const char* path, const Library& library, char** environment) {
  Check(path, library, environment).look_at(path);
}

} // namespace socksify::launcher
