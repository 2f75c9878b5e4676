// SPDX-License-Identifier: MIT
#include "names/fake_ips.h"
#include "kernel/fork.h"
#include "names/own_fake_ips.h"
#include <atomic>
#include <doctest/doctest.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace socksify;

namespace {

std::string spelled(std::string_view name) {
  const auto result = host_name::normalized(name);
  return result ? std::string(result->view()) : "";
}

} // namespace

TEST_CASE("a name is normalized to lower case, without a trailing dot") {
  CHECK(spelled("Inside.EXAMPLE") == "inside.example");
  CHECK(spelled("inside.example.") == "inside.example");
  CHECK(spelled("host_1-x") == "host_1-x");
  CHECK(spelled("1host") == "1host");
  CHECK(spelled("1.2.3.4x") == "1.2.3.4x");
  CHECK(spelled("b\xc3\xbc"
                "cher.example") == "b\xc3\xbc"
                                   "cher.example");
}

TEST_CASE("invalid host names are rejected") {
  for (const char* text : {"", ".", "..", "a..b", ".a", "a b", "a/b", "a:b", "a\nb", "fe80::1", "fe80::1%eth0", "a@b",
                           "*", "10.1.2.3", "1.2.3.256", "1.2.3.4.5", "127.1", "12345", "a.1"})
    CHECK_MESSAGE(spelled(text) == "", text);
  CHECK(spelled(std::string(64, 'a')) == "");
  CHECK(spelled(std::string(63, 'a')) == std::string(63, 'a'));
}

TEST_CASE("a name has at most 255 bytes") {
  std::string name;
  while (name.size() < 251)
    name += "abc.";
  CHECK(spelled(name + "abc") == name + "abc");
  CHECK(spelled(name + "abc.") == name + "abc");
  CHECK(spelled(name + "abcd") == "");
}

TEST_CASE("198.18.0.0/15 holds fake IPs if the server resolves names") {
  Config config;
  config.active = true;
  const auto is_fake_ip = [&](uint32_t ip) { return config.is_fake_ip(Ip::from(ip)); };
  CHECK(is_fake_ip(0xc6120000));
  CHECK(is_fake_ip(0xc613ffff));
  CHECK_FALSE(is_fake_ip(0xc611ffff));
  CHECK_FALSE(is_fake_ip(0xc6140000));
  config.dns = Dns::remote;
  CHECK(is_fake_ip(0xc6120001));
  config.dns = Dns::local;
  CHECK_FALSE(is_fake_ip(0xc6120001));
  config.mistake.variable = "SOCKS_DEBUG"; // the mistake could have been in SOCKSIFY_DNS
  CHECK(is_fake_ip(0xc6120001));
  config.active = false;
  CHECK_FALSE(is_fake_ip(0xc6120001));
}

TEST_CASE("the fake IPs that a process received most recently") {
  const auto name = [](int i) { return *host_name::normalized("host" + std::to_string(i)); };
  for (int i = 1; i <= 40; ++i)
    own_fake_ips::remember(uint32_t(i) * 16, name(i));
  for (int i = 25; i <= 40; ++i)
    CHECK(own_fake_ips::name_of(uint32_t(i) * 16)->view() == name(i).view());
  CHECK_FALSE(own_fake_ips::name_of(24 * 16));
  CHECK_FALSE(own_fake_ips::name_of(40));
  own_fake_ips::remember(40 * 16, name(1));
  CHECK(own_fake_ips::name_of(40 * 16)->view() == name(1).view());
  CHECK(own_fake_ips::name_of(25 * 16));
}

TEST_CASE("a child can record fake IPs although a thread was recording one at the fork") {
  forks::watch();
  std::atomic<bool> over{false};
  const auto one = host_name::normalized("one.example"), other = host_name::normalized("other.example");
  std::thread writer([&] {
    for (uint32_t ip = 1; !over; ip = ip % 100 + 1)
      own_fake_ips::remember(ip, *one);
  });
  size_t wrong = 0;
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      own_fake_ips::remember(101, *other);
      const auto found = own_fake_ips::name_of(101);
      _exit(found && found->view() == other->view() ? 0 : 1);
    }
    int status = -1;
    wrong += waitpid(child, &status, 0) != child || status != 0;
  }
  over = true;
  writer.join();
  CHECK(wrong == 0);
}
