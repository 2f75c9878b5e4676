// SPDX-License-Identifier: MIT
#include "names/hosts_file.h"
#include "names/fake_ips.h"
#include <cstdlib>
#include <doctest/doctest.h>
#include <string>
#include <unistd.h>

using namespace socksify;

namespace {

struct Hosts {
  char path[64] = "/tmp/socksify-unit.XXXXXX";

  explicit Hosts(std::string_view text) {
    const Fd fd{mkstemp(path)};
    REQUIRE(write(fd.get(), text.data(), text.size()) == ssize_t(text.size()));
  }
  ~Hosts() { unlink(path); }

  // The canonical name and the addresses of a name, in one line.
  std::string of(std::string_view name) const {
    const LookupResult answer = hosts_file::look_up(*host_name::normalized(name), path);
    std::string text(answer.name.view());
    for (size_t i = 0; i < answer.count; ++i)
      text += answer.ips[i].is_ipv4() ? " " + std::string(to_text(Endpoint{answer.ips[i].ipv4(), 0}).view()) : " v6";
    return text;
  }
  std::string at(std::string_view address) const {
    const auto name = hosts_file::name_of(*parse_ip(address), path);
    return name ? std::string(name->view()) : "";
  }
};

} // namespace

TEST_CASE("names and aliases of /etc/hosts, in every notation") {
  const Hosts hosts("# 10.0.0.9 comment\n"
                    "127.0.0.1\tlocalhost\n"
                    "10.0.0.1  One.Example one # two\n"
                    "\n   10.0.0.2\ttwo\r\n"
                    "10.0.0.3 two two.example#three\n"
                    "::1 localhost six\n"
                    "nonsense bad\n"
                    "10.0.0.4\n"
                    "10.0.0.1 again\n"
                    "10.0.0.5 last");
  CHECK(hosts.of("localhost") == "localhost 127.0.0.1:0 v6");
  CHECK(hosts.of("one") == "One.Example 10.0.0.1:0");
  CHECK(hosts.of("ONE.example.") == "One.Example 10.0.0.1:0");
  CHECK(hosts.of("two") == "two 10.0.0.2:0 10.0.0.3:0");
  CHECK(hosts.of("two.example") == "two 10.0.0.3:0");
  CHECK(hosts.of("last") == "last 10.0.0.5:0");
  for (const char* name : {"comment", "three", "bad", "unknown", "on", "one.exampl"})
    CHECK(hosts.of(name) == "");
  CHECK(hosts.at("10.0.0.1") == "One.Example");
  CHECK(hosts.at("::1") == "localhost");
  CHECK(hosts.at("10.0.0.4") == "");
  CHECK(hosts.at("10.0.0.9") == "");
}

TEST_CASE("a long file, long lines and long words") {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + " host" + std::to_string(i) + "\n";
  text += "10.2.0.1 " + std::string(3000, 'x') + " afterlong\n10.2.0.2";
  for (int i = 0; i < 1000; ++i)
    text += " alias" + std::to_string(i);
  const Hosts hosts(text + "\n");
  CHECK(hosts.of("host4999") == "host4999 10.1.19.249:0");
  CHECK(hosts.of("afterlong").ends_with(" 10.2.0.1:0"));
  CHECK(hosts.of("alias999") == "alias0 10.2.0.2:0");
}

TEST_CASE("without a file no name is known") {
  CHECK_FALSE(hosts_file::look_up(*host_name::normalized("a"), "/nonexistent"));
  CHECK_FALSE(hosts_file::look_up(*host_name::normalized("a"), "/"));
  const Hosts empty("");
  CHECK(empty.of("a") == "");
}
