// SPDX-License-Identifier: MIT
#include "launcher/error.h"
#include "launcher/options.h"
#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace socksify::launcher;
using namespace std::literals;

namespace {

struct Parsed {
  Options options;
  std::string error;
  std::vector<std::string> command;
};

Parsed parse(std::vector<std::string> words) {
  static std::vector<std::string> kept;
  kept = std::move(words);
  std::vector<char*> pointers;
  for (auto& word : kept)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  Parsed parsed;
  try {
    parsed.options = parse_options(pointers.data());
  } catch (const Error& error) {
    parsed.error = error.text;
  }
  for (char** word = parsed.options.command; word && *word; ++word)
    parsed.command.emplace_back(*word);
  return parsed;
}

std::string text(const char* option) { return option ? option : "(none)"; }

} // namespace

TEST_CASE("options end at the command, or at --") {
  CHECK(parse({"--local", "ls", "--local"}).command == std::vector{"ls"s, "--local"s});
  CHECK(parse({"--local", "--", "-v"}).command == std::vector{"-v"s});
  CHECK(parse({"-"}).command == std::vector{"-"s});
}

TEST_CASE("the gateway is the rest of the word, or the next word") {
  CHECK(text(parse({"--ssh", "gate", "ls"}).options.gateway) == "gate");
  CHECK(text(parse({"--ssh=gate", "ls"}).options.gateway) == "gate");
  CHECK(text(parse({"ls"}).options.gateway) == "(none)");
}

TEST_CASE("--help and --version end the options") {
  CHECK(parse({"--local", "--help", "--nonsense"}).options.mode == Mode::help);
  CHECK(parse({"--version", "--nonsense"}).error.empty());
  CHECK(parse({"--nonsense", "--help"}).error == "unknown option --nonsense; see socksify --help");
}

TEST_CASE("invalid options") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "no command; see socksify --help"},
      {{"--local", "--"}, "no command; see socksify --help"},
      {{"-x", "ls"}, "unknown option -x; see socksify --help"},
      {{"--ssh"}, "--ssh needs a value; see socksify --help"},
      {{"--help=x"}, "unknown option --help=x; see socksify --help"},
      {{"--check", "--env"}, "--check and --env: only one of them"},
      {{"--local", "--ssh", "gate", "ls"}, "--local and --ssh: only one server"},
      {{"--ssh=gate", "--ssh=gate", "ls"}, "--ssh and --ssh: only one server"},
      {{"--server-option", "--local", "ls"}, "-s and --local: only one server"},
      {{"--json", "ls"}, "--json goes with --check"},
      {{"--shell", "ls"}, "--shell takes no command"},
      {{"--env", "--local"}, "--env and --local: the server would end at once"},
      {{"--ssh", "-x", "ls"}, "--ssh: '-x': not the name of a host"},
      {{"--ssh=", "ls"}, "--ssh: '': not the name of a host"},
  };
  for (const auto& [words, error] : cases)
    CHECK(parse(words).error == error);
  CHECK(parse({"--check", "--json"}).error.empty());
  CHECK(parse({"--check", "--local", "ls"}).error.empty());
}
