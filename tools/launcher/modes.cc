// SPDX-License-Identifier: MIT
#include "launcher/modes.h"
#include "launcher/command.h"
#include "launcher/files.h"
#include "launcher/say.h"
#include "launcher/shell_text.h"
#include "launcher/variables.h"

namespace socksify::launcher {
namespace {

// Words for an exec, which end with null; there is room for one before the first.
class Words {
public:
  explicit Words(size_t most) : m_begin(static_cast<char**>(allocate((most + 2) * sizeof(char*))) + 1) {
    *m_begin = nullptr;
  }
  void add(const char* word) {
    m_begin[m_count++] = const_cast<char*>(word);
    m_begin[m_count] = nullptr;
  }
  void add_all(char** words) {
    for (; *words; ++words)
      add(*words);
  }
  char** get() const { return m_begin; }

private:
  char** m_begin;
  size_t m_count = 0;
};

constexpr size_t most_own_words = 8; // that come before the user's

size_t count(char** words) {
  size_t number = 0;
  while (words[number])
    ++number;
  return number;
}

// Beside us in the source tree, else in PREFIX/sbin.
const char* find_server(const Library& library) {
  for (const std::string_view way : {"/socks4d", "/../../sbin/socks4d"})
    if (const char* const path = join({library.folder, way}); files::is_executable(path))
      return path;
  fail(our_failure, {"--local: socks4d is missing: neither in ", library.folder, " nor in ../../sbin from there"});
}

const char* helper(const Library& library, std::string_view name) {
  const char* const path = join({library.folder, "/", name});
  if (!files::is_executable(path))
    fail(our_failure, {name, " is missing beside ", library.folder, "/libsocksify.so"});
  return path;
}

// Becomes the program at `path`, with this LD_PRELOAD, or none if it is empty. A server of our own is ready by then,
// and is none of the programs that go through it.
[[noreturn]] void run(const Options& options, const Library& library, const char* preload, const char* path,
                      char** arguments) {
  if (options.companion == Companion::none) {
    if (*preload)
      variables::set("LD_PRELOAD", preload);
    else
      variables::unset("LD_PRELOAD");
    become(path, arguments);
  }
  const bool is_local = options.companion == Companion::local;
  const char* const program = helper(library, "with-server");
  Words words(count(arguments) + most_own_words);
  for (const char* word :
       {program, is_local ? "local" : "ssh", is_local ? find_server(library) : options.gateway, preload, path})
    words.add(word);
  words.add_all(arguments);
  become(program, words.get());
}

[[noreturn]] void run_check(const Options& options, const Library& library) {
  const char* const program = helper(library, "socksify-check");
  Words words(count(options.command) + most_own_words);
  for (const char* word : {program, "--preload", library.preload})
    words.add(word);
  if (options.json)
    words.add("--json");
  words.add("--");
  words.add_all(options.command);
  run(options, library, "", program, words.get());
}

constinit const char* checker = nullptr;
constinit bool as_json = false;

[[noreturn]] void tell_by_checker(const char* reason) {
  tell_failures_by(nullptr);
  Words words(most_own_words);
  words.add(checker);
  if (as_json)
    words.add("--json");
  words.add("--failed");
  words.add(reason);
  become(checker, words.get());
}

// bash and most shells set PS1 in their own files; what PROMPT_COMMAND says comes after those.
void mark_prompt(std::string_view shell) {
  const char* const prompt = variables::find("PS1");
  if (shell != "bash" && !shell.ends_with("/bash"))
    variables::set("PS1", join({"(socksify) ", prompt ? prompt : "$ "}));
  else if (!variables::find("PROMPT_COMMAND"))
    variables::set("PROMPT_COMMAND", "PS1=\"(socksify) $PS1\" && unset PROMPT_COMMAND");
}

} // namespace

void begin_check(const Options& options, const Library& library) {
  checker = helper(library, "socksify-check");
  as_json = options.json;
  tell_failures_by(tell_by_checker);
}

void enter_mode(const Options& options, const Library& library, char** environment) {
  if (options.mode == Mode::check)
    run_check(options, library);
  if (options.mode == Mode::env)
    print_and_end(environment_text(options, library.preload));
  char** arguments = options.command;
  if (options.mode == Mode::shell) {
    const auto shell = variables::value("SHELL");
    variables::set("SHELL", shell.empty() ? "/bin/sh" : shell);
    mark_prompt(variables::value("SHELL"));
    Words words(1);
    words.add(variables::find("SHELL"));
    arguments = words.get();
  }
  run(options, library, library.preload, find_command(*arguments, library, environment), arguments);
}

} // namespace socksify::launcher
