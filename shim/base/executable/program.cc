// SPDX-License-Identifier: MIT
#include "base/executable/program.h"
#include "base/executable/elf_file.h"
#include "base/fd.h"
#include <cerrno>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

namespace socksify {
namespace {

constexpr size_t first_line_size = 256; // BINPRM_BUF_SIZE: the kernel looks no further

// --- scripts

constexpr std::string_view blanks = " \t";

// "#! /path argument"
void read_script(std::string_view text, Program& program) {
  program.kind = Program::Kind::script;
  text.remove_prefix(2);
  const auto line = trim(split_at(text, text.find('\n')).before, blanks);
  const auto [interpreter, argument, has_argument] = split_at(line, line.find_first_of(blanks));
  program.interpreter.add(interpreter);
  program.argument.add(trim(argument, blanks));
}

void read_content(int fd, Program& program) {
  FileWindow file{fd};
  errno = 0;
  const auto beginning = file.view(first_line_size, 0);
  if (errno != 0 && errno != EISDIR) {
    program.kind = Program::Kind::unreadable;
    program.error = errno;
  }
  if (beginning.starts_with("#!"))
    read_script(beginning, program);
  else
    elf_file::read(file, program);
}

// --- privileges

bool ignores_set_id(const Fd& fd) {
  struct statfs system;
  return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || (fstatfs(fd.get(), &system) == 0 && system.f_flags & ST_NOSUID);
}

// The dynamic linker ignores LD_PRELOAD in secure-execution mode (ld.so(8)). The kernel chooses that mode if the new
// effective IDs differ from the real ones, whether the file or the process is the reason, or if capabilities are gained
// (cap_bprm_creds_from_file()).
Program::Privileges read_privileges(const Location& location, const Fd& fd) {
  using enum Program::Privileges;
  struct stat status;
  if (fstatat(location.directory, location.path, &status, location.is_descriptor ? AT_EMPTY_PATH : 0) != 0 ||
      !S_ISREG(status.st_mode))
    return none;
  constexpr mode_t set_group = S_ISGID | S_IXGRP;
  const bool sets_user = status.st_mode & S_ISUID, sets_group = (status.st_mode & set_group) == set_group;
  if (((sets_user && status.st_uid != getuid()) || (sets_group && status.st_gid != getgid())) && !ignores_set_id(fd))
    return set_id;
  if ((!sets_user && geteuid() != getuid()) || (!sets_group && getegid() != getgid()))
    return other_ids;
  return getuid() != 0 && fd && fgetxattr(fd.get(), "security.capability", nullptr, 0) > 0 ? capabilities : none;
}

// O_NONBLOCK: it may be a FIFO.
Fd open_file(const Location& location) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (!location.is_descriptor)
    return Fd(openat(location.directory, location.path, flags));
  Text<32> path; // a descriptor may have been opened by O_PATH
  path.append("/proc/self/fd/{}", location.directory);
  return Fd(open(path.c_str(), flags));
}

} // namespace

bool names_sanitizer(std::string_view name) {
  for (const std::string_view prefix : {"libasan.so", "libtsan.so", "libhwasan.so", "liblsan.so", "libclang_rt."})
    if (name.starts_with(prefix))
      return true;
  return false;
}

void inspect(const Location& location, Program& program) {
  const KeepErrno keep;
  const Fd fd = open_file(location);
  program.error = fd ? 0 : errno;
  program.kind = fd ? Program::Kind::unknown : Program::Kind::unreadable;
  if (fd)
    read_content(fd.get(), program);
  if (!program.is_script())
    program.privileges = read_privileges(location, fd);
}

Program inspect(const char* path) {
  Program program;
  inspect({AT_FDCWD, path}, program);
  return program;
}

} // namespace socksify
