// SPDX-License-Identifier: MIT
#include "check/program.h"
#include "base/fd.h"
#include "check/elf.h"
#include "check/output.h"
#include "common/own_machine.h"
#include <cstdlib>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace socksify {
namespace {

constexpr size_t longest_first_line = 256; // BINPRM_BUF_SIZE
constexpr int most_interpreters = 5;       // as the kernel: then it says ELOOP

bool is_program(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

// Empty if there is none.
std::string find_in_path(const std::string& command) {
  if (command.find('/') != command.npos)
    return command;
  const char* const variable = std::getenv("PATH");
  std::string_view path = variable ? variable : "/bin:/usr/bin";
  for (bool more = !command.empty(); more;) {
    const size_t colon = path.find(':');
    more = colon != path.npos;
    const auto folder = path.substr(0, colon);
    const auto candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, command);
    if (is_program(candidate))
      return candidate;
    path.remove_prefix(more ? colon + 1 : path.size());
  }
  return {};
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr const char* blanks = " \t";
  std::vector<std::string> words;
  for (size_t at = text.find_first_not_of(blanks); at != text.npos; at = text.find_first_not_of(blanks, at)) {
    const size_t end = std::min(text.find_first_of(blanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

// "#! /path argument", without the "#!"; nothing if it is no such script.
std::optional<std::string> first_line(int fd) {
  std::string bytes(longest_first_line, '\0');
  const ssize_t length = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(length < 0 ? 0 : static_cast<size_t>(length));
  if (!bytes.starts_with("#!"))
    return std::nullopt;
  return bytes.substr(2, std::min(bytes.find('\n'), bytes.size()) - 2);
}

// "-S", "-vS", "-Sname": what follows is a line of words.
bool splits(std::string_view word) {
  return word.starts_with("--split-string") ||
         (word.starts_with('-') && !word.starts_with("--") && word.find('S') < word.find_first_of("uC"));
}

// "-u NAME", "-iC FOLDER"
bool takes_next(std::string_view word) {
  return word == "--unset" || word == "--chdir" ||
         (word.starts_with('-') && !word.starts_with("--") && !splits(word) &&
          word.find_first_of("uC") == word.size() - 1);
}

// The program that env(1) runs, given the words of a first line: "env -S VAR=1 -u NAME python3 -u".
std::string target_of_env(const std::vector<std::string>& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (takes_next(word))
      ++i;
    if (splits(word))
      word.remove_prefix(word.find_first_of("S=") + 1);
    if (!word.empty() && !word.starts_with('-') && word.find('=') == word.npos)
      return std::string(word);
  }
  return {};
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// One program, from the command to what runs in the end.
class Inspection {
public:
  Inspection(Report& report, const std::string& preload) : m_report(report), m_preload(preload) {}

  void look_at(const std::string& path, int depth) {
    if (!is_program(path))
      return fail(path, ::access(path.c_str(), F_OK) == 0 ? "not an executable file" : "does not exist");
    if (depth > most_interpreters)
      return fail(path, "too many interpreters, one after the other");
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (const auto line = first_line(fd.get()))
      return look_at_script(path, *line, depth);
    if (!has_privileges(path))
      look_at_binary(path, fd, depth);
  }

  // "ld.so --list PROGRAM" maps all that the program would have, and says why if it cannot.
  void load(const std::string& path, const std::string& interpreter) {
    const auto output = output_of({interpreter, "--list", path}, m_preload);
    const auto library = m_preload.substr(0, m_preload.find(':'));
    const auto complaint = complaint_in(output.text);
    if (output.status == 0 && complaint.empty() && output.text.find(name_of(library)) != output.text.npos)
      return m_report.ok("library", fmt::format("{}: loaded by {}", library, interpreter));
    const bool is_musl = name_of(interpreter).starts_with("ld-musl");
    m_report.fail("library", fmt::format("{}: not loaded by {}{}{}{}", library, interpreter,
                                         is_musl ? ", whose C library is musl, not the GNU one" : "",
                                         complaint.empty() ? "" : ": ", complaint));
  }

private:
  void look_at_script(const std::string& path, const std::string& line, int depth) {
    const auto words = words_of(line);
    if (words.empty() && depth == 0)
      return look_at_script(path, "/bin/sh", depth); // as where there is no such line
    if (words.empty())
      return fail(path, "its first line names no interpreter");
    m_report.ok("program", fmt::format("{}: a script for {}", path, fmt::join(words, " ")));
    look_at(words[0], depth + 1);
    if (name_of(words[0]) == "env")
      look_past_env(path, words, depth);
  }

  void look_past_env(const std::string& path, const std::vector<std::string>& words, int depth) {
    if (words.size() > 2 && !splits(words[1])) // "#! interpreter [optional-arg]", execve(2): the rest is one argument
      return fail(path, fmt::format("{} gets '{}' as one argument: -S would split it", words[0],
                                    fmt::join(words.begin() + 1, words.end(), " ")));
    const auto target = target_of_env(words);
    if (target.empty())
      return;
    const auto found = find_in_path(target);
    if (found.empty())
      return fail(target, "no such command, which is the interpreter of " + path);
    look_at(found, depth + 1);
  }

  // As of tools/launcher/program.cc.
  bool has_privileges(const std::string& path) {
    struct stat status;
    constexpr mode_t set_group = S_ISGID | S_IXGRP;
    if (::stat(path.c_str(), &status) == 0 &&
        (((status.st_mode & S_ISUID) && status.st_uid != ::getuid()) ||
         ((status.st_mode & set_group) == set_group && status.st_gid != ::getgid()))) {
      fail(path, "is set-user-ID or set-group-ID: the system ignores LD_PRELOAD for it");
      return true;
    }
    if (::getuid() != 0 && ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) {
      fail(path, "has capabilities (see getcap(8)): the system ignores LD_PRELOAD for it");
      return true;
    }
    return false;
  }

  void look_at_binary(const std::string& path, const Fd& fd, int depth) {
    if (!fd)
      return m_report.warn("program", path + ": cannot be read, so that nothing more can be said of it");
    const auto elf = read_elf(fd.get());
    if (!elf && depth == 0)
      return look_at_script(path, "/bin/sh", depth); // as execvp(3) and the shells do
    if (!elf)
      return fail(path, "no program for this system");
    if (elf->interpreter.empty())
      return fail(path, "is statically linked: LD_PRELOAD has no effect on it");
    if (!fits(*elf))
      return fail(path, fmt::format("is a program of {} bits for {}: no library for those is installed", elf->bits,
                                    processor(elf->machine)));
    if (elf->is_go)
      return fail(path, "is written in Go: its connections do not pass through the C library");
    if (!is_program(elf->interpreter))
      return fail(path, fmt::format("its dynamic linker {} does not exist", elf->interpreter));
    m_report.ok("program", fmt::format("{}: dynamically linked, {} bits", path, elf->bits));
    load(path, elf->interpreter);
  }

  bool fits(const Elf& elf) const {
    const bool has_both = m_preload.substr(0, m_preload.find(':')).find("$LIB") != m_preload.npos;
    return fits_library(elf.bits == 32 ? ELFCLASS32 : ELFCLASS64, elf.machine, has_both);
  }

  static std::string processor(uint16_t machine) {
    return machine == EM_386       ? "i386"
           : machine == EM_X86_64  ? "x86-64"
           : machine == EM_AARCH64 ? "arm64"
                                   : fmt::format("another kind of processor ({})", machine);
  }

  // "ERROR: ld.so: object '...' from LD_PRELOAD cannot be preloaded (REASON): ignored.", or the first line without an
  // address, of other kinds.
  static std::string complaint_in(std::string_view text) {
    for (size_t end; !text.empty(); text.remove_prefix(std::min(end + 1, text.size()))) {
      end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      if (line.find("cannot be preloaded") != line.npos || line.starts_with("Error ") ||
          line.find("error while loading") != line.npos)
        return std::string(line);
    }
    return {};
  }

  void fail(const std::string& path, std::string_view reason) {
    m_report.fail("program", fmt::format("{}: {}", path, reason));
  }

  Report& m_report;
  const std::string& m_preload;
};

std::string own_path() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return path;
}

} // namespace

void check_program(Report& report, const std::string& command, const std::string& preload) {
  const auto path = find_in_path(command);
  if (path.empty())
    return report.fail("program", command + ": no such command");
  Inspection(report, preload).look_at(path, 0);
}

void check_library(Report& report, const std::string& preload) {
  const auto path = own_path();
  const auto elf = read_elf(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)).get());
  Inspection(report, preload).load(path, elf ? elf->interpreter : "");
}

void check_settings(Report& report, const std::string& preload) {
  const auto output = output_of({own_path(), "--nothing"}, preload);
  if (output.text.starts_with("socksify: "))
    report.fail("settings", output.text.substr(10, output.text.find('\n') - 10));
}

} // namespace socksify
