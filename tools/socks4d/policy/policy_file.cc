// SPDX-License-Identifier: MIT
#include "socks4d/policy/policy_file.h"
#include "socks4d/policy/statement.h"
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

namespace socks4d {
namespace {

constexpr unsigned longest_limit = 24 * 60 * 60; // seconds
constexpr unsigned most_clients = 1'000'000;
constexpr size_t longest_file = 1 << 20; // bytes

unsigned parse_count(Statement& statement, std::string_view what, unsigned most) {
  const auto expected = fmt::format("{} from 1 to {}", what, most);
  const auto word = statement.next_word(expected);
  if (const auto number = parse_number(word, 1, most))
    return *number;
  statement.reject(word, "expected " + expected);
}

std::chrono::seconds parse_seconds(Statement& statement) {
  return std::chrono::seconds(parse_count(statement, "a number of seconds", longest_limit));
}

// True for `yes`, false for `no`.
bool parse_choice(Statement& statement, std::string_view yes, std::string_view no) {
  const auto expected = fmt::format("'{}' or '{}'", yes, no);
  const auto word = statement.next_word(expected);
  if (word != yes && word != no)
    statement.reject(word, "expected " + expected);
  return word == yes;
}

// An IPv6 network makes no sense here: SOCKS4 has IPv4 only.
Network parse_ipv4_network(Statement& statement) {
  const std::string expected = "an IPv4 address or a network such as 10.0.0.0/8";
  const auto word = statement.next_word(expected);
  const auto network = socksify::parse_network(word);
  if (!network || word.find(':') != word.npos)
    statement.reject(word, "expected " + expected);
  if (network->has_host_bits())
    statement.reject(word, "the address has bits set beyond the prefix");
  return *network;
}

void parse_ports(Statement& statement, Rule& rule) {
  const std::string expected = "a port from 0 to 65535 or a range such as 6000-6063";
  const auto word = statement.next_word(expected);
  const size_t dash = word.find('-');
  const auto first = parse_number(word.substr(0, dash), 0, 65535);
  const auto last = dash == word.npos ? first : parse_number(word.substr(dash + 1), 0, 65535);
  if (!first || !last || *first > *last)
    statement.reject(word, "expected " + expected);
  rule.first_port = static_cast<uint16_t>(*first);
  rule.last_port = static_cast<uint16_t>(*last);
}

std::string parse_userid(Statement& statement) {
  const auto word = statement.next_word("a userid");
  if (word.size() > socks4::max_userid)
    statement.reject(word, fmt::format("longer than {} bytes", socks4::max_userid));
  return std::string(word);
}

void parse_condition(Statement& statement, std::string_view word, Rule& rule) {
  if (word == "command")
    rule.command = parse_choice(statement, "connect", "bind") ? socks4::Command::connect : socks4::Command::bind;
  else if (word == "from")
    rule.from = parse_ipv4_network(statement);
  else if (word == "to")
    rule.to = parse_ipv4_network(statement);
  else if (word == "port")
    parse_ports(statement, rule);
  else if (word == "user")
    rule.userid = parse_userid(statement);
  else
    statement.reject(word, "expected 'command', 'from', 'to', 'port' or 'user'");
}

Rule parse_rule(Statement& statement, bool allows) {
  Rule rule;
  rule.allows = allows;
  std::vector<std::string_view> given;
  while (!statement.at_end()) {
    const auto word = statement.next_word("");
    if (std::ranges::find(given, word) != given.end())
      statement.reject(word, "given twice");
    given.push_back(word);
    parse_condition(statement, word, rule);
  }
  return rule;
}

void apply(Statement& statement, Policy& policy) {
  const auto word = statement.next_word("");
  if (word == "allow" || word == "deny")
    policy.rules.push_back(parse_rule(statement, word == "allow"));
  else if (word == "default")
    policy.allows_by_default = parse_choice(statement, "allow", "deny");
  else if (word == "request-timeout")
    policy.request_timeout = parse_seconds(statement);
  else if (word == "connect-timeout")
    policy.connect_timeout = parse_seconds(statement);
  else if (word == "bind-timeout")
    policy.bind_timeout = parse_seconds(statement);
  else if (word == "ident-timeout")
    policy.ident_timeout = parse_seconds(statement);
  else if (word == "ident")
    policy.requires_ident = parse_choice(statement, "require", "off");
  else if (word == "max-clients")
    policy.max_clients = parse_count(statement, "a number of clients", most_clients);
  else
    statement.reject(word, "unknown statement");
}

} // namespace

Policy parse_policy(std::string_view text, std::string_view name) {
  Policy policy;
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Statement statement(line.substr(0, line.find('#')), name, number);
    if (statement.at_end())
      continue;
    apply(statement, policy);
    statement.expect_end();
  }
  return policy;
}

Policy read_policy(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"), std::fclose);
  if (!stream)
    throw Failure("cannot read " + file);
  std::string text(longest_file + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()))
    throw Failure("cannot read " + file);
  if (text.size() > longest_file)
    throw ConfigError(fmt::format("{}: longer than {} bytes", file, longest_file));
  return parse_policy(text, file);
}

} // namespace socks4d
