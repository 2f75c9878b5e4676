// SPDX-License-Identifier: MIT
#include "socks4d/policy.h"
#include <doctest/doctest.h>

using namespace socksify;
using namespace std::chrono_literals;
using socks4::Command;

namespace {

constexpr uint32_t client = 0x0a010203;  // 10.1.2.3
constexpr uint32_t outside = 0xc0000207; // 192.0.2.7
constexpr uint32_t loopback = 0x7f000001;

Policy policy(std::string_view text) { return parse_policy(text, "test"); }

std::string mistake(std::string_view text) {
  try {
    policy(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

Attempt attempt(uint32_t destination, uint16_t port = 80, Command command = Command::connect,
                std::string_view userid = "") {
  return {.command = command, .client = client, .destination = {destination, port}, .userid = userid};
}

Attempt local(Attempt attempt) {
  attempt.is_local_client = true;
  return attempt;
}

} // namespace

TEST_CASE(
    "without a file: the specification's limits apply, and everything but the server's own addresses is allowed") {
  const Policy empty = policy("");
  CHECK(empty.connect_timeout == 120s);
  CHECK(empty.bind_timeout == 120s);
  CHECK_FALSE(empty.requires_ident);
  CHECK(empty.max_clients == 0);
  CHECK(empty.allows(attempt(outside)));
  CHECK_FALSE(empty.allows(attempt(loopback)));
  CHECK_FALSE(empty.allows(attempt(loopback + 5)));
  CHECK_FALSE(empty.allows(attempt(INADDR_ANY, 80, Command::bind)));
  CHECK(empty.allows(local(attempt(loopback))));
  CHECK(empty.allows(local(attempt(INADDR_ANY, 80, Command::bind))));
}

TEST_CASE("each statement sets one value; comments, blanks and line ends do not matter") {
  const Policy all = policy("# a comment\r\n"
                            "\trequest-timeout  5 # seconds\r\n"
                            "\n"
                            "connect-timeout 6\n"
                            "bind-timeout 86400\n"
                            "ident require\nident-timeout 7\nmax-clients 8");
  CHECK(all.request_timeout == 5s);
  CHECK(all.connect_timeout == 6s);
  CHECK(all.bind_timeout == 24h);
  CHECK(all.ident_timeout == 7s);
  CHECK(all.requires_ident);
  CHECK(all.max_clients == 8);
  CHECK_FALSE(policy("ident require\nident off").requires_ident);
}

TEST_CASE("the first matching rule decides, else the default") {
  const Policy some = policy("deny to 192.0.2.7\nallow to 192.0.2.0/24\ndefault deny\nallow to 192.0.2.7");
  CHECK_FALSE(some.allows(attempt(outside)));
  CHECK(some.allows(attempt(outside + 1)));
  CHECK_FALSE(some.allows(attempt(outside + 256)));
  CHECK(policy("default allow").allows(attempt(outside)));
  CHECK_FALSE(policy("default deny").allows(local(attempt(loopback))));
}

TEST_CASE("a rule matches if all its conditions do") {
  const Policy one = policy("default deny\nallow command bind from 10.0.0.0/8 to 192.0.2.7 port 20-21 user fred");
  CHECK(one.allows(attempt(outside, 20, Command::bind, "fred")));
  CHECK(one.allows(attempt(outside, 21, Command::bind, "fred")));
  CHECK_FALSE(one.allows(attempt(outside, 21, Command::connect, "fred")));
  CHECK_FALSE(one.allows(attempt(outside, 22, Command::bind, "fred")));
  CHECK_FALSE(one.allows(attempt(outside, 19, Command::bind, "fred")));
  CHECK_FALSE(one.allows(attempt(outside + 1, 21, Command::bind, "fred")));
  CHECK_FALSE(one.allows(attempt(outside, 21, Command::bind, "Fred")));
  CHECK_FALSE(one.allows(attempt(outside, 21, Command::bind, "fredd")));
  Attempt other = attempt(outside, 21, Command::bind, "fred");
  other.client = 0x0b010203;
  CHECK_FALSE(one.allows(other));
}

TEST_CASE("the server's own addresses need an explicit rule to be allowed, and none to be denied") {
  CHECK_FALSE(policy("allow").allows(attempt(loopback)));
  CHECK_FALSE(policy("allow to 0.0.0.0/0").allows(attempt(loopback)));
  CHECK_FALSE(policy("allow to 126.0.0.0/7").allows(attempt(loopback)));
  CHECK(policy("allow to 127.0.0.0/8").allows(attempt(loopback)));
  CHECK(policy("default deny\nallow to 127.0.0.1").allows(attempt(loopback)));
  CHECK_FALSE(policy("allow to 127.0.0.2").allows(attempt(loopback)));
  CHECK_FALSE(policy("deny\nallow to 127.0.0.1").allows(attempt(loopback)));

  const Attempt anybody = attempt(INADDR_ANY, 80, Command::bind);
  CHECK_FALSE(policy("allow command bind").allows(anybody));
  CHECK_FALSE(policy("allow command bind to 0.0.0.0/0").allows(anybody));
  CHECK(policy("allow command bind to 0.0.0.0").allows(anybody));
}

TEST_CASE("an error names file, line and word") {
  CHECK(mistake("\nalow to 10.0.0.0/8") == "test:2: \"alow\": unknown statement");
  CHECK(mistake("allow to 10.0.0.0/33") ==
        "test:1: \"10.0.0.0/33\": not an IPv4 address or a network such as 10.0.0.0/8");
  CHECK(mistake("allow from 10.0.0.1/8") == "test:1: \"10.0.0.1/8\": the address has bits beyond the prefix");
  CHECK(mistake("allow from localhost") ==
        "test:1: \"localhost\": not an IPv4 address or a network such as 10.0.0.0/8");
  CHECK(mistake("allow from") == "test:1: a network such as 10.0.0.0/8 is missing at the end of the line");
  CHECK(mistake("deny port 9-1") == "test:1: \"9-1\": not a port from 0 to 65535 or a range such as 6000-6063");
  CHECK(mistake("deny port 1 port 2") == "test:1: \"port\": given twice");
  CHECK(mistake("deny command ping") == "test:1: \"ping\": not 'connect' or 'bind'");
  CHECK(mistake("deny everything") == "test:1: \"everything\": not 'command', 'from', 'to', 'port' or 'user'");
  CHECK(mistake("default deny all") == "test:1: \"all\": surplus word");
  CHECK(mistake("bind-timeout 0") == "test:1: \"0\": not a number of seconds from 1 to 86400");
  CHECK(mistake("ident on") == "test:1: \"on\": not 'require' or 'off'");
  CHECK(mistake(std::string_view("a\0b", 3)) == "test:1: \"a\\x00b\": unknown statement");
  CHECK(mistake("deny user " + std::string(256, 'x')).ends_with("longer than 255 bytes"));
}
