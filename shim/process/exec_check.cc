// SPDX-License-Identifier: MIT
#include "process/exec_check.h"
#include "base/executable/obstacle.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "kernel/readable.h"
#include "kernel/uninterrupted.h"
#include "process/environment.h"
#include "process/own_library.h"
#include <algorithm>
#include <alloca.h>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::exec_check {
namespace {

struct Question {
  Location program;
  bool runs_by_shell; // a file without "#!" is a script for /bin/sh
};

// Without control characters, which could make two lines of one.
template <size_t Size> void append_printable(Text<Size>& line, std::string_view text) {
  for (const char c : text)
    line.add(static_cast<unsigned char>(c) < ' ' || c == 0x7F ? '?' : c);
}

// Descriptor 2 is the new program's stderr, unless it is closed on exec.
[[gnu::noinline]] void report(const char* path, std::string_view interpreter, const char* reason) {
  const int flags = fcntl(STDERR_FILENO, F_GETFD);
  if (flags < 0 || flags & FD_CLOEXEC)
    return;
  Text<640> line;
  line.add("socksify: ");
  append_printable(line, path);
  line.add(interpreter.empty() ? std::string_view{} : ": its interpreter ");
  append_printable(line, interpreter);
  line.add(" ");
  line.add(reason);
  line.add("; SOCKS_SERVER= lets it connect directly\n");
  write_to_stderr(line.view());
}

// If LD_PRELOAD does not name the library, the system preloads it (ld.so.preload), for any user and in its own way.
Obstacle obstacle_to(const Program& program) {
  const auto libraries = environment::own_libraries();
  const auto obstacle = obstacle_in(program, libraries);
  const bool depends_on_variable = obstacle == Obstacle::other_machine || obstacle >= Obstacle::set_id;
  if (libraries.empty() && depends_on_variable)
    return Obstacle::none;
  if (obstacle == Obstacle::none && program.is_elf() && !own_library::can_be_opened())
    return Obstacle::unreachable;
  return obstacle;
}

// Inspects the program, then its interpreter for as long as that is a script.
void follow(const Question& question, Program& program, Text<256>& interpreter) {
  const Uninterrupted whole;
  inspect(question.program, program);
  for (int depth = 0; depth < most_interpreters; ++depth) {
    const bool is_bare = program.kind == Program::Kind::unknown || program.interpreter.view().empty();
    if (program.is_script() && !is_bare)
      interpreter = program.interpreter;
    else if (question.runs_by_shell && is_bare && !program.is_elf() && program.kind != Program::Kind::unreadable)
      interpreter.add("/bin/sh");
    else
      return;
    program = {};
    inspect({AT_FDCWD, interpreter.c_str()}, program);
  }
}

bool is_executable(const Location& program) {
  return program.is_descriptor || faccessat(program.directory, program.path, X_OK, AT_EACCESS) == 0;
}

// 0, or an errno.
int judge(const Question& question, Sanitizer& sanitizer) {
  const KeepErrno keep;
  Program program;
  Text<256> interpreter;
  follow(question, program, interpreter);
  sanitizer = program.sanitizer;
  const char* reason = in_words(obstacle_to(program));
  const bool is_unknown =
      program.kind == Program::Kind::unreadable && !is_absent(program.error) && program.error != EFAULT;
  if (is_unknown)
    reason = "cannot be inspected";
  if (!*reason || !is_executable(question.program))
    return 0;
  report(question.program.is_descriptor ? "the program" : question.program.path, interpreter.view(), reason);
  return is_unknown ? program.error : EACCES;
}

bool asks(const Question& question, char* const* environment, Sanitizer& sanitizer) {
  const bool is_void = environment && !is_readable(environment); // the kernel starts nothing then
  const bool is_ours = config().active && !is_void && !environment::opts_out(environment);
  const int error = is_ours ? judge(question, sanitizer) : 0;
  if (error)
    errno = error;
  return error == 0;
}

bool is_program(const char* path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

std::string_view search_path() {
  const char* const path = getenv("PATH");
  return path ? path : "/bin:/usr/bin";
}

size_t longest_folder() {
  size_t longest = 0;
  for (Halves parts{{}, search_path(), true}; parts.found; longest = std::max(longest, parts.before.size()))
    parts = split_at(parts.after, parts.after.find(':'));
  return longest;
}

// "FOLDER/FILE" in a buffer. An empty folder is the current one.
void put_path(char* buffer, std::string_view folder, std::string_view file) {
  std::memcpy(buffer, folder.data(), folder.size());
  char* next = buffer + folder.size();
  if (!folder.empty())
    *next++ = '/';
  std::memcpy(next, file.data(), file.size());
  next[file.size()] = '\0';
}

// Puts the path of the program into the buffer. False if there is none.
bool find_program(std::string_view file, char* buffer) {
  const KeepErrno keep;
  for (Halves parts{{}, search_path(), true}; parts.found;) {
    parts = split_at(parts.after, parts.after.find(':'));
    put_path(buffer, parts.before, file);
    if (is_program(buffer))
      return true;
  }
  return false;
}

} // namespace

bool allows(const Location& program, char* const* environment, Sanitizer& sanitizer) {
  return asks({program, false}, environment, sanitizer);
}

bool allows_file(const char* file, char* const* environment, Sanitizer& sanitizer) {
  if (!config().active || !file || !*file)
    return true;
  if (std::strchr(file, '/'))
    return asks({{AT_FDCWD, file}, true}, environment, sanitizer);
  char* const path = static_cast<char*>(alloca(longest_folder() + std::strlen(file) + 2));
  return !find_program(file, path) || asks({{AT_FDCWD, path}, true}, environment, sanitizer);
}

} // namespace socksify::exec_check
