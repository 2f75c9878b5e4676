// SPDX-License-Identifier: MIT
#include "check/program.h"
#include "base/executable/obstacle.h"
#include "base/executable/program.h"
#include "check/advice.h"
#include "check/output.h"
#include <cstdlib>
#include <elf.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::check {
namespace {

bool is_program(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

// As execvp(3) searches PATH. Empty if there is no such command.
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

// The program that env(1) runs, from the words of a first line: "env -S VAR=1 -u NAME python3 -u".
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

std::string remedy(Obstacle obstacle) {
  return obstacle == Obstacle::set_id || obstacle == Obstacle::capabilities
             ? "; as root it can be proxied: sudo socksify ..."
             : "";
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// A linker is run, so it has to be the system's: an ELF file of root's, which nobody else can write.
bool is_system_linker(const std::string& path) {
  struct stat status;
  const auto name = name_of(path);
  const bool is_known = name.starts_with("ld-linux") || name.starts_with("ld64.so") || name.starts_with("ld.so") ||
                        name.starts_with("ld-musl");
  return is_known && ::stat(path.c_str(), &status) == 0 && status.st_uid == 0 &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && inspect(path.c_str()).is_elf();
}

// Follows a command to the program that runs in the end.
class Inspection {
public:
  Inspection(Report& report, const std::string& preload) : m_report(report), m_preload(preload) {}

  void look_at(const std::string& path, int depth) {
    if (!is_program(path))
      return fail(path, ::access(path.c_str(), F_OK) == 0 ? "not an executable file" : "does not exist");
    if (depth > most_interpreters)
      return fail(path, "too many interpreters, one after the other");
    const Program program = inspect(path.c_str());
    if (program.is_script())
      look_at_script(path, words_of_script(program), depth);
    else if (program.kind == Program::Kind::unknown && depth == 0)
      look_at_script(path, {"/bin/sh"}, depth); // as execvp(3) and the shells do
    else
      look_at_binary(path, program);
  }

  // "ld.so --list PROGRAM" maps all that the program would have, and reports what it cannot map.
  void load(const std::string& path, std::string_view linker, std::string_view sanitizer = {}) {
    const auto preload = fmt::format("{}{}{}", sanitizer, sanitizer.empty() ? "" : "::", m_preload);
    const auto output = output_of({std::string(linker), "--list", path}, preload);
    const auto library = m_preload.substr(0, m_preload.find(':'));
    const auto error = error_in(output.text);
    if (output.status == 0 && error.empty() && output.text.find(name_of(library)) != output.text.npos)
      return m_report.ok("library", fmt::format("{}: loaded by {}", library, linker));
    const bool is_musl = name_of(linker).starts_with("ld-musl");
    m_report.fail("library", fmt::format("{}: not loaded by {}{}{}{}", library, linker,
                                         is_musl ? ", whose C library is musl, not the GNU one" : "",
                                         error.empty() ? "" : ": ", error));
  }

private:
  // A script that names no interpreter runs as if it began with "#!/bin/sh".
  static std::vector<std::string> words_of_script(const Program& program) {
    if (program.interpreter.view().empty())
      return {"/bin/sh"};
    auto words = words_of(program.argument.view());
    words.insert(words.begin(), program.interpreter.c_str());
    return words;
  }

  void look_at_script(const std::string& path, const std::vector<std::string>& words, int depth) {
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
      return fail(target, "no such command, and it is the interpreter of " + path);
    look_at(found, depth + 1);
  }

  void look_at_binary(const std::string& path, const Program& program) {
    const auto obstacle = obstacle_in(program, m_preload);
    if (obstacle == Obstacle::other_machine)
      return fail(path, fmt::format("is a program of {} bits for {}: no library for those is installed", bits(program),
                                    processor(program.machine)));
    // A musl program goes on to its dynamic linker, whose own words say more.
    if (obstacle != Obstacle::none && obstacle != Obstacle::musl)
      return fail(path, in_words(obstacle) + remedy(obstacle));
    if (program.kind == Program::Kind::unreadable)
      return m_report.warn("program", path + ": cannot be read, so nothing more is known about it");
    if (!program.is_elf())
      return fail(path, "no program for this system");
    look_at_dynamic(path, program);
  }

  void look_at_dynamic(const std::string& path, const Program& program) {
    const std::string linker{program.interpreter.view()};
    if (program.is_linker)
      return m_report.ok("program", path + ": a dynamic linker, which loads the library into what it runs");
    if (!is_program(linker))
      return fail(path, fmt::format("its dynamic linker {} does not exist", linker));
    m_report.ok("program", fmt::format("{}: dynamically linked, {} bits", path, bits(program)));
    if (!is_system_linker(linker))
      return m_report.warn("library", fmt::format("{}: not one of the system's dynamic linkers, so it is not run to "
                                                  "see whether it loads the library",
                                                  linker));
    load(path, linker, program.sanitizer.view());
  }

  static int bits(const Program& program) { return program.elf_class == ELFCLASS32 ? 32 : 64; }

  static std::string processor(uint16_t machine) {
    return machine == EM_386       ? "i386"
           : machine == EM_X86_64  ? "x86-64"
           : machine == EM_AARCH64 ? "arm64"
                                   : fmt::format("another kind of processor ({})", machine);
  }

  // glibc: "ERROR: ld.so: object '...' from LD_PRELOAD cannot be preloaded (REASON): ignored."; musl: "Error ...".
  static std::string error_in(std::string_view text) {
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
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return {path, length < 0 ? 0 : static_cast<size_t>(length)};
}

} // namespace

void check_program(Report& report, const Words& command, const std::string& preload) {
  const auto path = find_in_path(command[0]);
  if (path.empty())
    return report.fail("program", command[0] + ": no such command");
  Inspection(report, preload).look_at(path, 0);
  add_advice(report, command, preload);
}

void check_library(Report& report, const std::string& preload) {
  const auto path = own_path();
  Inspection(report, preload).load(path, inspect(path.c_str()).interpreter.view());
}

void check_settings(Report& report, const std::string& preload) {
  constexpr std::string_view prefix = "socksify: ";
  const auto text = output_of({own_path(), "--nothing"}, preload).text;
  if (text.starts_with(prefix))
    report.fail("settings", text.substr(prefix.size(), text.find('\n') - prefix.size()));
}

} // namespace socksify::check
