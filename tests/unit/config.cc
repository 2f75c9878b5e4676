// SPDX-License-Identifier: MIT
#include "config/config.h"
#include <doctest/doctest.h>
#include <map>
#include <string>

using namespace socksify;
using namespace std::literals;

namespace {

std::map<std::string, std::string> variables;

Config parse(std::map<std::string, std::string> environment) {
  variables = std::move(environment);
  Config config;
  parse_config(
      [](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      config);
  return config;
}

void check_server(std::map<std::string, std::string> environment, std::string_view host, int port) {
  const Config config = parse(environment);
  CHECK(config.active);
  CHECK(config.mistake.reason == ""sv);
  CHECK(config.servers[0].host.view() == host);
  CHECK(config.servers[0].port == port);
}

void check_mistake(std::map<std::string, std::string> environment, std::string_view variable) {
  environment.insert({"SOCKS_SERVER", "gate"});
  const Config config = parse(environment);
  CHECK(config.active); // so connections are denied, not direct
  REQUIRE(config.mistake.variable);
  CHECK(config.mistake.variable == variable);
  CHECK(config.mistake.value.view() == environment[std::string(variable)].substr(0, 255));
  CHECK(config.mistake.reason != ""sv);
}

} // namespace

TEST_CASE("without a server the library is inactive") {
  CHECK_FALSE(parse({}).active);
  CHECK_FALSE(parse({{"SOCKS_SERVER", ""}, {"SOCKS_USER", "me"}}).active);
  CHECK_FALSE(
      parse({{"SOCKS_SERVER", ""}, {"ALL_PROXY", "socks4://gate"}}).active); // an empty value switches the library off
}

TEST_CASE("the server is host[:port] or a URL") {
  check_server({{"SOCKS_SERVER", "gate"}}, "gate", 1080);
  check_server({{"SOCKS_SERVER", "10.1.2.3:9050"}}, "10.1.2.3", 9050);
  check_server({{"SOCKS_SERVER", "socks4://gate.example:1"}}, "gate.example", 1);
  check_server({{"SOCKS_SERVER", "SOCKS4A://gate:65535/"}}, "gate", 65535);
}

TEST_CASE("several servers, in order") {
  const Config config = parse({{"SOCKS_SERVER", "a:1,socks4://me@b:2,unix:/run/socks,10.0.0.1"}});
  CHECK(config.mistake.reason == ""sv);
  REQUIRE(config.server_count == 4);
  CHECK(config.servers[0].host.view() == "a");
  CHECK(config.servers[0].port == 1);
  CHECK(config.servers[1].host.view() == "b");
  CHECK(config.servers[1].port == 2);
  CHECK(config.servers[2].is_unix);
  CHECK(config.servers[2].host.view() == "/run/socks");
  CHECK(config.servers[3].host.view() == "10.0.0.1");
  CHECK(config.servers[3].port == 1080);
  CHECK_FALSE(config.servers[3].is_unix);
  CHECK(config.userid.view() == "me");
  CHECK(parse({{"SOCKS_SERVER", "1,2,3,4,5,6,7,8"}}).server_count == 8);
}

TEST_CASE("ALL_PROXY for another protocol is skipped, but does not make connections direct") {
  check_server({{"ALL_PROXY", "http://proxy:3128"}, {"SOCKS_SERVER", "gate"}}, "gate", 1080);
  check_server({{"all_proxy", "socks5://proxy:1080"}, {"ALL_PROXY", "socks4://gate"}}, "gate", 1080);
  for (const char* value : {"http://proxy:3128", "socks5://proxy:1080", "socks5h://proxy", "proxy:1080"}) {
    CAPTURE(value);
    const Config config = parse({{"ALL_PROXY", value}});
    CHECK(config.active);
    REQUIRE(config.mistake.variable);
    CHECK(config.mistake.variable == "ALL_PROXY"sv);
    CHECK(std::string_view{config.mistake.reason}.starts_with("SOCKS4 only"));
  }
}

TEST_CASE("a URL without a host is not taken for another protocol") {
  for (const char* value : {"socks4://", "SOCKS4A://", "socks4://me@", "socks4://me@:1080/", ":1080", "gate,,other"}) {
    CAPTURE(value);
    check_mistake({{"SOCKS_SERVER", value}}, "SOCKS_SERVER");
    CHECK(parse({{"SOCKS_SERVER", value}}).mistake.reason == "the host is missing"sv);
  }
  CHECK(parse({{"SOCKS_SERVER", "unix:"}}).mistake.reason == "the path of a Unix socket must begin with /"sv);
  CHECK(parse({{"SOCKS_SERVER", "::1"}}).mistake.reason == "an IPv6 address: SOCKS4 servers are reached by IPv4"sv);
}

TEST_CASE("the userid in a URL is decoded, and a password is dropped") {
  const auto userid = [](const char* url) { return std::string(parse({{"SOCKS_SERVER", url}}).userid.view()); };
  CHECK(userid("socks4://me@gate") == "me");
  CHECK(userid("socks4://a%40b%2Cc%3a@gate") == "a@b,c:");
  CHECK(userid("socks4://me:secret@gate") == "me");
  CHECK(userid("socks4://50%@gate") == "50%");
  CHECK(userid("socks4://%zz%4@gate") == "%zz%4");
  CHECK(userid("socks4://a@b@gate") == "a@b");
}

TEST_CASE("SOCKS4_SERVER wins, then SOCKS_SERVER, then all_proxy, then ALL_PROXY") {
  std::map<std::string, std::string> all{
      {"SOCKS4_SERVER", "a"}, {"SOCKS_SERVER", "b"}, {"all_proxy", "socks4://c"}, {"ALL_PROXY", "socks4a://d"}};
  check_server(all, "a", 1080);
  all["SOCKS4_SERVER"] = "";
  check_server(all, "b", 1080);
  all.erase("SOCKS_SERVER");
  check_server(all, "c", 1080);
  all["all_proxy"] = "http://c";
  check_server(all, "d", 1080);
}

TEST_CASE("the userid: SOCKS_USER, its alias, the URL, the login name") {
  std::map<std::string, std::string> all{
      {"SOCKS_USER", "u1"}, {"SOCKS_USERNAME", "u2"}, {"SOCKS_SERVER", "socks4://u3@gate"}, {"LOGNAME", "u4"}};
  CHECK(parse(all).userid.view() == "u1");
  all.erase("SOCKS_USER");
  CHECK(parse(all).userid.view() == "u2");
  all.erase("SOCKS_USERNAME");
  CHECK(parse(all).userid.view() == "u3");
  CHECK(parse(all).servers[0].host.view() == "gate");
  all["SOCKS_SERVER"] = "gate";
  CHECK(parse(all).userid.view() == "u4");
  all.erase("LOGNAME");
  CHECK(parse(all).userid.view().empty()); // looked up in the user database when a request needs it
}

TEST_CASE("an invalid value names its variable and denies all connections") {
  for (const char* server : {"gate:",
                             "gate:0",
                             "gate:65536",
                             "gate:x",
                             ":1080",
                             "a b",
                             "http://gate",
                             "socks5://gate:1",
                             "socks4://",
                             "socks4://@",
                             "[::1]:1080",
                             "gate:1:2",
                             "socks4://gate/path",
                             "gate;x",
                             "a,",
                             ",a",
                             "a,,b",
                             "a, b",
                             "a,socks5://b",
                             "1,2,3,4,5,6,7,8,9",
                             "socks4://u@a,socks4://v@b",
                             "socks4://a%00b@gate",
                             "unix:",
                             "unix:relative"})
    check_mistake({{"SOCKS_SERVER", server}}, "SOCKS_SERVER");
  check_mistake({{"SOCKS_SERVER", std::string(256, 'a')}}, "SOCKS_SERVER");
  check_mistake({{"SOCKS_SERVER", "unix:/" + std::string(107, 'p')}}, "SOCKS_SERVER");
  check_mistake({{"SOCKS_SERVER", "socks4://" + std::string(256, 'u') + "@gate"}}, "SOCKS_SERVER");
  check_mistake({{"SOCKS4_SERVER", "x:y"}}, "SOCKS4_SERVER");
  check_mistake({{"SOCKS_USER", std::string(256, 'u')}}, "SOCKS_USER");
  for (const char* timeout : {"0", "-1", "1.5", "abc", "99999"})
    check_mistake({{"SOCKSIFY_TIMEOUT", timeout}}, "SOCKSIFY_TIMEOUT");
  for (const char* address : {"gate", "0.0.0.0", "::1", "192.0.2"})
    check_mistake({{"SOCKSIFY_ADDRESS", address}}, "SOCKSIFY_ADDRESS");
  check_mistake({{"SOCKSIFY_BIND", "yes"}}, "SOCKSIFY_BIND");
  check_mistake({{"SOCKSIFY_LOOPBACK", "prxy"}}, "SOCKSIFY_LOOPBACK");
  check_mistake({{"SOCKSIFY_FASTOPEN", "yes"}}, "SOCKSIFY_FASTOPEN");
  check_mistake({{"SOCKSIFY_DNS", "never"}}, "SOCKSIFY_DNS");
  check_mistake({{"SOCKSIFY_LEAK", "dney"}}, "SOCKSIFY_LEAK");
  check_mistake({{"SOCKSIFY_SESSION", "relative/path"}}, "SOCKSIFY_SESSION");
  check_mistake({{"SOCKS_DEBUG", "on"}}, "SOCKS_DEBUG");
  check_mistake({{"SOCKS_LOGOUTPUT", "relative/path"}}, "SOCKS_LOGOUTPUT");
}

TEST_CASE("the server's scheme decides who resolves names, unless SOCKSIFY_DNS does") {
  CHECK(parse({{"SOCKS_SERVER", "gate"}}).dns == Dns::automatic);
  CHECK(parse({{"SOCKS_SERVER", "socks4://gate"}}).dns == Dns::local);
  CHECK(parse({{"SOCKS_SERVER", "SOCKS4A://gate"}}).dns == Dns::remote);
  CHECK(parse({{"all_proxy", "socks4a://me@gate:1080/"}}).dns == Dns::remote);
  for (const char* server : {"gate", "socks4://gate", "socks4a://gate"}) {
    CHECK(parse({{"SOCKS_SERVER", server}, {"SOCKSIFY_DNS", "auto"}}).dns == Dns::automatic);
    CHECK(parse({{"SOCKS_SERVER", server}, {"SOCKSIFY_DNS", "local"}}).dns == Dns::local);
    CHECK(parse({{"SOCKS_SERVER", server}, {"SOCKSIFY_DNS", "remote"}}).dns == Dns::remote);
  }
  CHECK_FALSE(parse({{"SOCKSIFY_DNS", "remote"}}).uses_fake_ips()); // no server
}

TEST_CASE("after a mistake no name is resolved locally, because the mistake may be in SOCKSIFY_DNS") {
  for (const char* server : {"socks4://gate", "socks5://gate"}) {
    const Config config = parse({{"SOCKS_SERVER", server}, {"SOCKSIFY_DNS", "rmote"}});
    CHECK(config.resolves_remotely());
    CHECK(config.uses_fake_ips());
  }
}

TEST_CASE("what happens to datagrams") {
  CHECK(parse({{"SOCKS_SERVER", "gate"}}).leak == Leak::allow);
  CHECK(parse({{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_LEAK", "allow"}}).leak == Leak::allow);
  CHECK(parse({{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_LEAK", "warn"}}).leak == Leak::warn);
  CHECK(parse({{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_LEAK", "deny"}}).leak == Leak::deny);
  CHECK(parse({{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_LEAK", "dney"}}).leak == Leak::deny);
}

TEST_CASE("the other settings") {
  const Config defaults = parse({{"SOCKS_SERVER", "gate"}});
  CHECK(defaults.timeout == 130);
  CHECK(defaults.bind == Bind::automatic);
  CHECK_FALSE(defaults.proxy_loopback);
  CHECK(defaults.debug == 0);
  CHECK(parse({{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_BIND", "any"}}).bind == Bind::any);
  const Config config = parse({{"SOCKS_SERVER", "gate"},
                               {"SOCKSIFY_TIMEOUT", "7"},
                               {"SOCKSIFY_ADDRESS", "192.0.2.7"},
                               {"SOCKSIFY_BIND", "off"},
                               {"SOCKSIFY_LOOPBACK", "proxy"},
                               {"SOCKSIFY_FASTOPEN", "1"},
                               {"SOCKS_DEBUG", "10"},
                               {"SOCKS_LOGOUTPUT", "/tmp/log"},
                               {"no_proxy", "10.0.0.0/8"},
                               {"NO_PROXY", "*"}});
  CHECK(config.mistake.reason == ""sv);
  CHECK(config.fast_open);
  CHECK(config.timeout == 7);
  CHECK(config.address == 0xc0000207);
  CHECK(config.bind == Bind::off);
  CHECK(config.proxy_loopback);
  CHECK(config.debug >= 3);
  CHECK(config.log_file == "/tmp/log");
  CHECK(config.no_proxy == "10.0.0.0/8");
}
