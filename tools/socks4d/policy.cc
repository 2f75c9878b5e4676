// SPDX-License-Identifier: MIT
#include "socks4d/policy.h"
#include "common/system_call.h"
#include "socks4d/access_log.h"
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

namespace socksify {
namespace {

constexpr unsigned longest_limit = 24 * 60 * 60; // seconds
constexpr unsigned most_clients = 1'000'000;
constexpr size_t longest_file = 1 << 20; // bytes

// Addresses that lead further into the server's own host than a client elsewhere would expect to get.
bool is_special(const Attempt& attempt) {
  return attempt.destination.is_loopback() ||
         (attempt.command == socks4::Command::bind && attempt.destination.ip == INADDR_ANY);
}

// True if the network holds special addresses only: its author has thought of them.
bool is_about_special(const Network& network) {
  const bool is_in_loopback = network.prefix >= 8 && network.address.is_loopback();
  return is_in_loopback || (network.prefix == 32 && network.address.is_any());
}

// One statement, word by word.
class Statement {
public:
  Statement(std::string_view line, std::string_view name, unsigned number)
      : m_rest(line), m_name(name), m_number(number) {
    next();
  }

  std::string_view word() const { return m_word; }
  bool is_over() const { return m_word.empty(); }

  // The word, and on to the next one.
  std::string_view take(const char* expected) {
    if (is_over())
      fail("", fmt::format("{} is missing at the end of the line", expected));
    const auto word = m_word;
    next();
    return word;
  }
  bool take_if(std::string_view word) {
    const bool is_it = m_word == word;
    if (is_it)
      next();
    return is_it;
  }
  void end() const {
    if (!is_over())
      fail(m_word, "surplus word");
  }
  [[noreturn]] void fail(std::string_view word, std::string_view why) const {
    const auto where = fmt::format("{}:{}: ", m_name, m_number);
    throw ConfigError(where + (word.empty() ? std::string(why) : fmt::format("{}: {}", quoted(word), why)));
  }

private:
  static constexpr std::string_view blanks = " \t\r\v\f";

  void next() {
    m_rest.remove_prefix(std::min(m_rest.find_first_not_of(blanks), m_rest.size()));
    m_word = m_rest.substr(0, m_rest.find_first_of(blanks));
    m_rest.remove_prefix(m_word.size());
  }

  std::string_view m_rest, m_word, m_name;
  unsigned m_number;
};

unsigned take_number(Statement& statement, const char* what, unsigned least, unsigned most) {
  const auto word = statement.take(what);
  if (const auto number = parse_number(word, least, most))
    return *number;
  statement.fail(word, fmt::format("not {} from {} to {}", what, least, most));
}

std::chrono::seconds take_seconds(Statement& statement) {
  return std::chrono::seconds(take_number(statement, "a number of seconds", 1, longest_limit));
}

// True for `yes`, false for `no`.
bool take_choice(Statement& statement, std::string_view yes, std::string_view no) {
  const auto expected = fmt::format("'{}' or '{}'", yes, no);
  const auto word = statement.take(expected.c_str());
  if (word != yes && word != no)
    statement.fail(word, fmt::format("not {}", expected));
  return word == yes;
}

Network take_network(Statement& statement) {
  const auto word = statement.take("a network such as 10.0.0.0/8");
  const auto network = parse_network(word);
  if (!network || word.find(':') != word.npos)
    statement.fail(word, "not an IPv4 address or a network such as 10.0.0.0/8");
  if (network->has_host_bits())
    statement.fail(word, "the address has bits beyond the prefix");
  return *network;
}

void take_ports(Statement& statement, Rule& rule) {
  const auto word = statement.take("a port");
  const size_t dash = word.find('-');
  const auto first = parse_number(word.substr(0, dash), 0, 65535);
  const auto last = dash == word.npos ? first : parse_number(word.substr(dash + 1), 0, 65535);
  if (!first || !last || *first > *last)
    statement.fail(word, "not a port from 0 to 65535 or a range such as 6000-6063");
  rule.first_port = static_cast<uint16_t>(*first);
  rule.last_port = static_cast<uint16_t>(*last);
}

std::string take_userid(Statement& statement) {
  const auto word = statement.take("a userid");
  if (word.size() > socks4::max_userid)
    statement.fail(word, fmt::format("longer than {} bytes", socks4::max_userid));
  return std::string(word);
}

Rule take_rule(Statement& statement, bool allows) {
  Rule rule;
  rule.allows = allows;
  std::vector<std::string_view> given;
  while (!statement.is_over()) {
    const auto word = statement.take("");
    if (std::ranges::find(given, word) != given.end())
      statement.fail(word, "given twice");
    given.push_back(word);
    if (word == "command")
      rule.command = take_choice(statement, "connect", "bind") ? socks4::Command::connect : socks4::Command::bind;
    else if (word == "from")
      rule.from = take_network(statement);
    else if (word == "to")
      rule.to = take_network(statement);
    else if (word == "port")
      take_ports(statement, rule);
    else if (word == "user")
      rule.userid = take_userid(statement);
    else
      statement.fail(word, "not 'command', 'from', 'to', 'port' or 'user'");
  }
  return rule;
}

void carry_out(Statement& statement, Policy& policy) {
  const auto word = statement.take("");
  if (word == "allow" || word == "deny")
    policy.rules.push_back(take_rule(statement, word == "allow"));
  else if (word == "default")
    policy.allows_by_default = take_choice(statement, "allow", "deny");
  else if (word == "request-timeout")
    policy.request_timeout = take_seconds(statement);
  else if (word == "connect-timeout")
    policy.connect_timeout = take_seconds(statement);
  else if (word == "bind-timeout")
    policy.bind_timeout = take_seconds(statement);
  else if (word == "ident-timeout")
    policy.ident_timeout = take_seconds(statement);
  else if (word == "ident")
    policy.requires_ident = take_choice(statement, "require", "off");
  else if (word == "max-clients")
    policy.max_clients = take_number(statement, "a number of clients", 1, most_clients);
  else
    statement.fail(word, "unknown statement");
  statement.end();
}

} // namespace

bool Rule::fits(const Attempt& attempt) const {
  const uint16_t port = attempt.destination.port;
  return (!command || *command == attempt.command) && (!from || from->contains(Ip::from(attempt.client))) &&
         (!to || to->contains(Ip::from(attempt.destination.ip))) && port >= first_port && port <= last_port &&
         (!userid || *userid == attempt.userid);
}

bool Policy::allows(const Attempt& attempt) const {
  const bool must_be_said = !attempt.is_local_client && is_special(attempt);
  for (const Rule& rule : rules) {
    const bool says_enough = !rule.allows || !must_be_said || (rule.to && is_about_special(*rule.to));
    if (says_enough && rule.fits(attempt))
      return rule.allows;
  }
  return allows_by_default && !must_be_said;
}

Policy parse_policy(std::string_view text, std::string_view name) {
  Policy policy;
  for (unsigned number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Statement statement(line.substr(0, line.find('#')), name, number);
    if (!statement.is_over())
      carry_out(statement, policy);
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

} // namespace socksify
