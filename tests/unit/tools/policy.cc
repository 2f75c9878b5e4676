// SPDX-License-Identifier: MIT
#include "socks4d/policy/policy_file.h"
#include <doctest/doctest.h>

using namespace socks4d;
using namespace std::chrono_literals;
using socks4::Command;

namespace {

constexpr uint32_t client = 0x0a010203;  // 10.1.2.3
constexpr uint32_t outside = 0xc0000207; // 192.0.2.7
constexpr uint32_t loopback = 0x7f000001;

Policy policy(std::string_view text) { return parse_policy(text, "test"); }

std::string error(std::string_view text) {
  try {
    policy(text);
  } catch (const ConfigError& thrown) {
    return thrown.what();
  }
  return "none";
}

AccessRequest request(uint32_t destination, uint16_t port = 80, Command command = Command::connect,
                      std::string_view userid = "") {
  return {.command = command, .client = client, .destination = {destination, port}, .userid = userid};
}

AccessRequest local(AccessRequest request) {
  request.is_local_client = true;
  return request;
}

} // namespace

TEST_CASE("without a file: the limits of the specification, and everything allowed except the server's own addresses") {
  const Policy empty = policy("");
  CHECK(empty.connect_timeout == 120s);
  CHECK(empty.bind_timeout == 120s);
  CHECK_FALSE(empty.requires_ident);
  CHECK(empty.max_clients == 0);
  CHECK(empty.allows(request(outside)));
  CHECK_FALSE(empty.allows(request(loopback)));
  CHECK_FALSE(empty.allows(request(loopback + 5)));
  CHECK_FALSE(empty.allows(request(INADDR_ANY, 80, Command::bind)));
  CHECK(empty.allows(local(request(loopback))));
  CHECK(empty.allows(local(request(INADDR_ANY, 80, Command::bind))));
}

TEST_CASE("statements set values; comments, blanks and line ends do not matter") {
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

TEST_CASE("the first matching rule decides, otherwise the default") {
  const Policy some = policy("deny to 192.0.2.7\nallow to 192.0.2.0/24\ndefault deny\nallow to 192.0.2.7");
  CHECK_FALSE(some.allows(request(outside)));
  CHECK(some.allows(request(outside + 1)));
  CHECK_FALSE(some.allows(request(outside + 256)));
  CHECK(policy("default allow").allows(request(outside)));
  CHECK_FALSE(policy("default deny").allows(local(request(loopback))));
}

TEST_CASE("a rule matches if all of its conditions do") {
  const Policy one = policy("default deny\nallow command bind from 10.0.0.0/8 to 192.0.2.7 port 20-21 user fred");
  CHECK(one.allows(request(outside, 20, Command::bind, "fred")));
  CHECK(one.allows(request(outside, 21, Command::bind, "fred")));
  CHECK_FALSE(one.allows(request(outside, 21, Command::connect, "fred")));
  CHECK_FALSE(one.allows(request(outside, 22, Command::bind, "fred")));
  CHECK_FALSE(one.allows(request(outside, 19, Command::bind, "fred")));
  CHECK_FALSE(one.allows(request(outside + 1, 21, Command::bind, "fred")));
  CHECK_FALSE(one.allows(request(outside, 21, Command::bind, "Fred")));
  CHECK_FALSE(one.allows(request(outside, 21, Command::bind, "fredd")));
  AccessRequest other = request(outside, 21, Command::bind, "fred");
  other.client = 0x0b010203;
  CHECK_FALSE(one.allows(other));
}

TEST_CASE("the server's own addresses need a rule that covers only them, but denying them does not") {
  CHECK_FALSE(policy("allow").allows(request(loopback)));
  CHECK_FALSE(policy("allow to 0.0.0.0/0").allows(request(loopback)));
  CHECK_FALSE(policy("allow to 126.0.0.0/7").allows(request(loopback)));
  CHECK(policy("allow to 127.0.0.0/8").allows(request(loopback)));
  CHECK(policy("default deny\nallow to 127.0.0.1").allows(request(loopback)));
  CHECK_FALSE(policy("allow to 127.0.0.2").allows(request(loopback)));
  CHECK_FALSE(policy("deny\nallow to 127.0.0.1").allows(request(loopback)));

  const AccessRequest any_host = request(INADDR_ANY, 80, Command::bind);
  CHECK_FALSE(policy("allow command bind").allows(any_host));
  CHECK_FALSE(policy("allow command bind to 0.0.0.0/0").allows(any_host));
  CHECK(policy("allow command bind to 0.0.0.0").allows(any_host));
}

TEST_CASE("an error names the file, the line and the word") {
  CHECK(error("\nalow to 10.0.0.0/8") == "test:2: \"alow\": unknown statement");
  CHECK(error("allow to 10.0.0.0/33") ==
        "test:1: \"10.0.0.0/33\": expected an IPv4 address or a network such as 10.0.0.0/8");
  CHECK(error("allow from 10.0.0.1/8") == "test:1: \"10.0.0.1/8\": the address has bits set beyond the prefix");
  CHECK(error("allow from localhost") ==
        "test:1: \"localhost\": expected an IPv4 address or a network such as 10.0.0.0/8");
  CHECK(error("allow from") ==
        "test:1: expected an IPv4 address or a network such as 10.0.0.0/8 at the end of the line");
  CHECK(error("deny port 9-1") == "test:1: \"9-1\": expected a port from 0 to 65535 or a range such as 6000-6063");
  CHECK(error("deny port 1 port 2") == "test:1: \"port\": given twice");
  CHECK(error("deny command ping") == "test:1: \"ping\": expected 'connect' or 'bind'");
  CHECK(error("deny everything") == "test:1: \"everything\": expected 'command', 'from', 'to', 'port' or 'user'");
  CHECK(error("default deny all") == "test:1: \"all\": unexpected word");
  CHECK(error("bind-timeout 0") == "test:1: \"0\": expected a number of seconds from 1 to 86400");
  CHECK(error("ident on") == "test:1: \"on\": expected 'require' or 'off'");
  CHECK(error(std::string_view("a\0b", 3)) == "test:1: \"a\\x00b\": unknown statement");
  CHECK(error("deny user " + std::string(256, 'x')).ends_with("longer than 255 bytes"));
}
