// SPDX-License-Identifier: MIT
#include "launcher/command.h"
#include "base/text.h"
#include "launcher/files.h"
#include "launcher/kernel.h"
#include "launcher/program.h"
#include "launcher/say.h"
#include "launcher/variables.h"
#include <cerrno>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::launcher {
namespace {

// Looks for a program; if there is something else of this name, the first of that is remembered for the message.
class Search {
public:
  bool is_program(const char* path) {
    struct statx status;
    m_error = kernel::call(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE, &status);
    if (m_error != 0)
      return false;
    const bool is_so = (status.stx_mode & S_IFMT) == S_IFREG && files::is_executable(path);
    if (is_so || !m_found)
      m_found = path;
    return is_so;
  }

  // In PATH, where an empty part means here. What is in a directory that is closed to us is not there, as for the
  // shells: execvp(3) says EACCES of whatever is nowhere else.
  bool find_in(std::string_view path, std::string_view name) {
    for (bool more = !name.empty(); more;) {
      const auto [folder, rest, found] = split_at(path, path.find(':'));
      more = found;
      path = rest;
      // "Is too long" comes before "is there": execvp(3) goes on.
      if (folder.size() + name.size() + 2 <= PATH_MAX && is_program(join_path(folder, name)))
        return true;
    }
    return false;
  }

  const char* found() const { return m_found; }
  // Of the last place.
  long error() const { return m_error; }

private:
  // In the same place again, but for what is remembered.
  const char* join_path(std::string_view folder, std::string_view name) {
    char* end = m_room[m_found != nullptr];
    for (const std::string_view part : {folder.empty() ? std::string_view{"."} : folder, std::string_view{"/"}, name})
      for (const char c : part)
        *end++ = c;
    *end = '\0';
    return m_room[m_found != nullptr];
  }

  const char* m_found = nullptr;
  long m_error = 0;
  static char m_room[2][PATH_MAX + 2];
};

constinit char Search::m_room[2][PATH_MAX + 2]{};

} // namespace

const char* find_command(const char* name, const Library& library, char** environment) {
  Search search;
  const std::string_view text{name};
  const char* const path = variables::find("PATH");
  const bool is_path = text.find('/') != text.npos;
  const bool found = is_path ? search.is_program(name) : search.find_in(path ? path : "/bin:/usr/bin", text);
  if (!found && search.found())
    fail(cannot_run, {search.found(), ": not an executable file"});
  if (is_path && search.error() && search.error() != -ENOENT && search.error() != -ENOTDIR)
    fail(cannot_run, {text, ": ", files::reason_for(search.error())});
  if (!found)
    fail(not_found, {text, ": no such command"});
  check_program(search.found(), library, environment);
  return search.found();
}

void become(const char* path, char** arguments) {
  long error = kernel::call(__NR_execve, path, arguments, variables::all());
  if (error == -ENOEXEC) { // a shell script without a first line that says so, as for execvp(3)
    char shell[] = "/bin/sh";
    arguments[-1] = shell;
    arguments[0] = const_cast<char*>(path);
    error = kernel::call(__NR_execve, shell, arguments - 1, variables::all());
  }
  fail(error == -ENOENT ? not_found : cannot_run, {path, error == -ENOENT  ? ": its dynamic linker does not exist"
                                                         : error == -E2BIG ? ": the argument list is too long"
                                                                           : ": the system cannot execute it"});
}

} // namespace socksify::launcher
