// SPDX-License-Identifier: MIT
#include "launcher/modes.h"
#include "launcher/command.h"
#include "launcher/environment.h"
#include "launcher/error.h"
#include "launcher/shell_text.h"
#include <cstdio>
#include <unistd.h>

namespace socksify::launcher {
namespace {

constexpr const char* checker = "socksify-check";

// Beside us in the source tree, else in PREFIX/sbin.
std::string find_server(const Library& library) {
  for (const std::string_view way : {"/socks4d", "/../../sbin/socks4d"})
    if (auto path = join({library.folder, way}); ::access(path.c_str(), X_OK) == 0)
      return path;
  fail({"--local: socks4d is missing: neither in ", library.folder, " nor in ../../sbin from there"});
}

Words words_of(char** command) {
  Words words;
  for (; *command; ++command)
    words.push_back(*command);
  words.push_back(nullptr);
  return words;
}

// with-server starts a server, sets LD_PRELOAD and becomes the program; the server itself is not preloaded.
[[noreturn]] void become_with_server(const Options& options, const Library& library, const std::string& preload,
                                     const std::string& path, Words words) {
  const bool is_local = options.with_server == WithServer::local;
  const auto server = is_local ? find_server(library) : options.gateway;
  const auto program = helper(library, "with-server");
  words.insert(words.begin(),
               {program.c_str(), is_local ? "local" : "ssh", server.c_str(), preload.c_str(), path.c_str()});
  become(program, std::move(words));
}

// Becomes the program at `path` with this LD_PRELOAD, or without one if it is empty.
[[noreturn]] void run(const Options& options, const Library& library, const std::string& preload,
                      const std::string& path, Words words) {
  if (options.with_server != WithServer::no)
    become_with_server(options, library, preload, path, std::move(words));
  ::unsetenv("LD_PRELOAD");
  if (!preload.empty())
    set_variable("LD_PRELOAD", preload);
  become(path, std::move(words));
}

[[noreturn]] void run_checker(const Options& options, const Library& library) {
  const auto program = helper(library, checker);
  Words words = words_of(options.command);
  words.insert(words.begin(), "--");
  if (options.json)
    words.insert(words.begin(), "--json");
  words.insert(words.begin(), {program.c_str(), "--preload", library.preload.c_str()});
  run(options, library, "", program, std::move(words));
}

// bash and most other shells set PS1 in their own files; PROMPT_COMMAND runs after those.
void mark_prompt(std::string_view shell) {
  const auto prompt = variable("PS1");
  if (shell != "bash" && !shell.ends_with("/bash"))
    set_variable("PS1", join({"(socksify) ", prompt.empty() ? "$ " : prompt}));
  else if (!find_variable("PROMPT_COMMAND"))
    set_variable("PROMPT_COMMAND", "PS1=\"(socksify) $PS1\" && unset PROMPT_COMMAND");
}

[[noreturn]] void run_shell(const Options& options, const Library& library) {
  const auto chosen = variable("SHELL");
  const std::string shell{chosen.empty() ? "/bin/sh" : chosen};
  set_variable("SHELL", shell);
  mark_prompt(shell);
  const auto [path, preload] = find_command(shell.c_str(), library);
  run(options, library, preload, path, {shell.c_str(), nullptr});
}

[[noreturn]] void run_command(const Options& options, const Library& library) {
  const auto [path, preload] = find_command(*options.command, library);
  run(options, library, preload, path, words_of(options.command));
}

} // namespace

void print_and_end(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) == EOF)
    fail({"stdout: cannot be written"});
  ::_exit(EXIT_SUCCESS);
}

void report_by_checker(const Options& options, const Library& library, const std::string& reason) {
  const auto program = helper(library, checker);
  Words words{program.c_str(), "--failed", reason.c_str(), nullptr};
  if (options.json)
    words.insert(words.begin() + 1, "--json");
  become(program, std::move(words));
}

void enter_mode(const Options& options, const Library& library) {
  switch (options.mode) {
  case Mode::check:
    run_checker(options, library);
  case Mode::env:
    print_and_end(environment_text(library.preload));
  case Mode::shell:
    run_shell(options, library);
  default:
    run_command(options, library);
  }
}

} // namespace socksify::launcher
