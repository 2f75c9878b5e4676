// SPDX-License-Identifier: MIT
#include "base/settings.h"
#include <doctest/doctest.h>
#include <map>
#include <string>

using namespace socksify;
using namespace std::literals;

namespace {

std::map<std::string, std::string> variables;

const char* look_up(const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

Variable find(const char* name, std::map<std::string, std::string> environment) {
  variables = std::move(environment);
  return variable_for(*find_setting(name), look_up);
}

} // namespace

TEST_CASE("a setting is found by its name, not by an alias") {
  CHECK(find_setting("SOCKS_USER")->alias == "SOCKS_USERNAME"sv);
  CHECK_FALSE(find_setting("SOCKS_USERNAME"));
  CHECK_FALSE(find_setting(""));
}

TEST_CASE("all names are different") {
  std::map<std::string, int> names;
  for (const auto& setting : settings) {
    ++names[setting.name];
    if (setting.alias)
      ++names[setting.alias];
  }
  for (const auto& entry : names)
    CHECK_MESSAGE(entry.second == 1, entry.first);
}

TEST_CASE("which of two names takes precedence") {
  CHECK(find("SOCKS_SERVER", {{"SOCKS_SERVER", "a"}, {"SOCKS4_SERVER", "b"}}).value == "b");
  CHECK(find("SOCKS_USER", {{"SOCKS_USER", "a"}, {"SOCKS_USERNAME", "b"}}).value == "a");
  CHECK(find("NO_PROXY", {{"NO_PROXY", "a"}, {"no_proxy", "b"}}).value == "b");
  CHECK(find("NO_PROXY", {{"NO_PROXY", "a"}, {"no_proxy", ""}}).name == "NO_PROXY"sv);
  CHECK_FALSE(find("NO_PROXY", {{"no_proxy", ""}}).name);
}

TEST_CASE("which variable names the server") {
  const auto servers = [](std::map<std::string, std::string> environment) {
    variables = std::move(environment);
    return find_servers(look_up).value;
  };
  CHECK(servers({{"SOCKSIFY_SERVER", "a"}}) == "a");
  CHECK(servers({{"SOCKSIFY_SERVER", "a"}, {"SOCKS_SERVER", "b"}}) == "b");
  CHECK(servers({{"SOCKSIFY_SERVER", "a"}, {"SOCKS4_SERVER", "b"}}) == "b");
  CHECK(servers({{"SOCKSIFY_SERVER", "a"}, {"ALL_PROXY", "socks4://b"}}) == "a");
  CHECK(servers({{"SOCKSIFY_SERVER", "a"}, {"SOCKS_SERVER", ""}}).empty());
  CHECK(servers({{"SOCKSIFY_SERVER", ""}, {"ALL_PROXY", "socks4://b"}}).empty());
}

TEST_CASE("an invalid value is replaced by the strictest one") {
  variables = {{"SOCKS_SERVER", "gate"}, {"SOCKSIFY_LEAK", "x"}, {"SOCKSIFY_DNS", "x"}, {"SOCKSIFY_LOOPBACK", "x"}};
  Config config;
  parse_config(look_up, config);
  CHECK(config.leak == Leak::deny);
  CHECK(config.dns == Dns::remote);
  CHECK(config.proxy_loopback);
}

TEST_CASE("the userid of one server is sent to all") {
  variables = {{"SOCKS_SERVER", "socks4://me@a,b"}, {"LOGNAME", "other"}};
  Config config;
  parse_config(look_up, config);
  CHECK(config.userid.view() == "me");
  CHECK(config.server_count == 2);
}
