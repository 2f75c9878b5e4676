// SPDX-License-Identifier: MIT
#include "launcher/options.h"
#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace socksify::launcher;
using namespace std::literals;

namespace {

struct Parsed {
  Options options;
  std::string complaint;
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
  for (const auto part : parse_options(pointers.data(), parsed.options).parts)
    parsed.complaint += part;
  for (char** word = parsed.options.command; word && *word; ++word)
    parsed.command.emplace_back(*word);
  return parsed;
}

std::string text(const char* option) { return option ? option : "(none)"; }

} // namespace

TEST_CASE("options end at the command, or at --") {
  CHECK(parse({"-v", "ls", "-v"}).command == std::vector{"ls"s, "-v"s});
  CHECK(parse({"-v", "--", "-v"}).command == std::vector{"-v"s});
  CHECK(parse({"-"}).command == std::vector{"-"s});
}

TEST_CASE("a value is the rest of the word, or the next word") {
  for (const auto& words : {std::vector{"-s"s, "gate"s, "ls"s}, std::vector{"-sgate"s, "ls"s},
                            std::vector{"-vsgate"s, "ls"s}, std::vector{"-vs"s, "gate"s, "ls"s}}) {
    const auto parsed = parse(words);
    CHECK(text(parsed.options.servers) == "gate");
    CHECK(parsed.command == std::vector{"ls"s});
    CHECK(parsed.complaint.empty());
  }
  CHECK(text(parse({"-u", "", "ls"}).options.userid).empty());
  CHECK(text(parse({"-n", "--", "ls"}).options.no_proxy) == "--");
  CHECK(text(parse({"--ssh", "-v", "ls"}).options.gateway) == "-v");
  CHECK(text(parse({"--ssh=gate", "ls"}).options.gateway) == "gate");
  CHECK(text(parse({"ls"}).options.servers) == "(none)");
}

TEST_CASE("-v counts after the last -d") {
  CHECK(parse({"-vv", "-v", "ls"}).options.raised == 3);
  CHECK(parse({"-v", "-d1", "-v", "ls"}).options.raised == 1);
  CHECK(parse({"-v", "-d", "1", "ls"}).options.level == '1');
}

TEST_CASE("--help and --version end it") {
  CHECK(parse({"-v", "--help", "--nonsense"}).options.mode == Mode::help);
  CHECK(parse({"--version", "-d", "x"}).complaint.empty());
  CHECK(parse({"--nonsense", "--help"}).complaint == "unknown option --nonsense; see socksify --help");
}

TEST_CASE("what makes no sense") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "no command; see socksify --help"},
      {{"-v", "--"}, "no command; see socksify --help"},
      {{"-x", "ls"}, "unknown option -x; see socksify --help"},
      {{"-vx", "ls"}, "unknown option -x; see socksify --help"},
      {{"-s"}, "-s needs a value; see socksify --help"},
      {{"--ssh"}, "--ssh needs a value; see socksify --help"},
      {{"--help=x"}, "unknown option --help=x; see socksify --help"},
      {{"-d", "4", "ls"}, "-d: '4': not a number from 0 to 3"},
      {{"-d", "", "ls"}, "-d: '': not a number from 0 to 3"},
      {{"-d", "11", "ls"}, "-d: '11': not a number from 0 to 3"},
      {{"--check", "--env"}, "--check and --env: one of them only"},
      {{"--local", "--ssh", "gate", "ls"}, "--local and --ssh: one server only"},
      {{"-s", "gate", "--local", "ls"}, "-s and --local: one server only"},
      {{"--json", "ls"}, "--json goes with --check"},
      {{"--shell", "ls"}, "--shell takes no command"},
      {{"--env", "--local"}, "--env and --local: the server would end at once"},
      {{"--ssh", "-x", "ls"}, "--ssh: '-x': not the name of a host"},
  };
  for (const auto& [words, complaint] : cases)
    CHECK(parse(words).complaint == complaint);
  CHECK(parse({"--check", "--json"}).complaint.empty());
  CHECK(parse({"--check", "--local", "ls"}).complaint.empty());
}
