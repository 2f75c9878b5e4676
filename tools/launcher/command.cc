// SPDX-License-Identifier: MIT
#include "launcher/command.h"
#include "base/executable/obstacle.h"
#include "base/executable/program.h"
#include "base/text.h"
#include "launcher/environment.h"
#include "launcher/error.h"
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::launcher {
namespace {

// Looks for a program, and remembers the first other thing of that name for the message.
class Search {
public:
  bool try_path(const std::string& path) {
    struct stat status;
    m_error = ::stat(path.c_str(), &status) == 0 ? 0 : errno;
    if (m_error != 0)
      return false;
    const bool is_program = S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
    if (is_program || m_found.empty())
      m_found = path;
    return is_program;
  }

  // An empty part of PATH means the current directory. What is in a directory that is closed to us counts as absent, as
  // it does for the shells; execvp(3) would report EACCES for a name that it finds nowhere else.
  bool try_all(std::string_view path, std::string_view name) {
    for (bool more = !name.empty(); more;) {
      const auto [folder, rest, found] = split_at(path, path.find(':'));
      if (try_path(join({folder.empty() ? "." : folder, "/", name})))
        return true;
      more = found;
      path = rest;
    }
    return false;
  }

  const std::string& found() const { return m_found; }
  int error() const { return m_error; } // of the last path

private:
  std::string m_found;
  int m_error = 0;
};

// Follows the command to the program that runs in the end.
class Judge {
public:
  Judge(const std::string& command, const Library& library) : m_command(command), m_library(library) {}

  void follow(const std::string& path, int depth) {
    const Program program = inspect(path.c_str());
    if (program.kind == Program::Kind::unreadable)
      judge_unreadable(program.error);
    if (!program.is_script()) {
      m_sanitizer = program.sanitizer.view();
      return judge(path, program);
    }
    // A script that names no interpreter is one for /bin/sh, as for execvp(3).
    if (const auto interpreter = program.interpreter.view(); !interpreter.empty() && depth < most_interpreters) {
      m_interpreter = interpreter;
      follow(m_interpreter, depth + 1);
    }
  }

  // A sanitizer's runtime refuses to be any but the first library. The empty entry marks it as ours for the exec hooks
  // (process/environment.h).
  std::string preload() const {
    return m_sanitizer.empty() || m_library.preload.starts_with(m_sanitizer)
               ? m_library.preload
               : join({m_sanitizer, "::", m_library.preload});
  }

private:
  [[noreturn]] void refuse(Status status, std::string_view reason) const {
    fail(status, {m_command, m_interpreter.empty() ? "" : ": its interpreter ", m_interpreter, " ", reason});
  }

  // A file that may be executed but not read hides what it is, and runs.
  void judge_unreadable(int error) {
    if (error == ENOENT && !m_interpreter.empty())
      refuse_missing_interpreter();
    if (error != EACCES)
      refuse(cannot_run, join({"cannot be inspected: ", std::strerror(error)}));
  }

  // The kernel takes the carriage return of "#!/bin/sh\r\n" for a part of the name; a terminal would not show it.
  [[noreturn]] void refuse_missing_interpreter() {
    const size_t end = m_interpreter.find('\r');
    if (end == m_interpreter.npos)
      refuse(not_found, "does not exist");
    m_interpreter.replace(end, m_interpreter.npos, "\\r");
    refuse(not_found, "does not exist: the line ends with a carriage return");
  }

  void judge(const std::string& path, const Program& program) const {
    const auto obstacle = obstacle_in(program, m_library.preload);
    if (obstacle != Obstacle::none && !is_this_program(path))
      refuse(our_failure, in_words(obstacle));
  }

  // This program is static, but passes LD_PRELOAD on.
  static bool is_this_program(const std::string& path) {
    struct stat its, ours;
    return ::stat(path.c_str(), &its) == 0 && ::stat("/proc/self/exe", &ours) == 0 && its.st_dev == ours.st_dev &&
           its.st_ino == ours.st_ino;
  }

  const std::string& m_command;
  const Library& m_library;
  std::string m_sanitizer;
  std::string m_interpreter; // that `follow` has reached; empty: it is at the command
};

} // namespace

Command find_command(const char* name, const Library& library) {
  Search search;
  const std::string text{name};
  const char* const path = find_variable("PATH");
  const bool is_path = text.find('/') != text.npos;
  const bool is_found = is_path ? search.try_path(text) : search.try_all(path ? path : "/bin:/usr/bin", text);
  if (!is_found && !search.found().empty())
    fail(cannot_run, {search.found(), ": not an executable file"});
  if (is_path && search.error() && search.error() != ENOENT && search.error() != ENOTDIR)
    fail(cannot_run, {text, ": ", std::strerror(search.error())});
  if (!is_found)
    fail(not_found, {text, ": no such command"});
  Judge judge(search.found(), library);
  judge.follow(search.found(), 0);
  return {search.found(), judge.preload()};
}

void become(const std::string& path, Words words) {
  const auto execute = [&words](const char* program) {
    ::execve(program, const_cast<char**>(words.data()), environ);
    return errno;
  };
  int error = execute(path.c_str());
  if (error == ENOEXEC) { // a shell script without "#!", as for execvp(3)
    words[0] = path.c_str();
    words.insert(words.begin(), "/bin/sh");
    error = execute("/bin/sh");
  }
  fail(error == ENOENT ? not_found : cannot_run,
       {path, ": ", error == ENOENT ? "its dynamic linker does not exist" : std::strerror(error)});
}

} // namespace socksify::launcher
