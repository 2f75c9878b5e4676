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

std::string normalized(std::string_view name) {
  const auto result = host_name::normalized(name);
  return result ? std::string(result->view()) : "";
}

} // namespace

TEST_CASE("a name is normalized to lower case, without a trailing dot") {
  CHECK(normalized("Inside.EXAMPLE") == "inside.example");
  CHECK(normalized("inside.example.") == "inside.example");
  CHECK(normalized("host_1-x") == "host_1-x");
  CHECK(normalized("1host") == "1host");
  CHECK(normalized("1.2.3.4x") == "1.2.3.4x");
  CHECK(normalized("b\xc3\xbc"
                   "cher.example") == "b\xc3\xbc"
                                      "cher.example");
}

TEST_CASE("invalid host names are rejected") {
  for (const char* text : {"", ".", "..", "a..b", ".a", "a b", "a/b", "a:b", "a\nb", "fe80::1", "fe80::1%eth0", "a@b",
                           "*", "10.1.2.3", "1.2.3.256", "1.2.3.4.5", "127.1", "12345", "a.1"})
    CHECK_MESSAGE(normalized(text) == "", text);
  CHECK(normalized(std::string(64, 'a')) == "");
  CHECK(normalized(std::string(63, 'a')) == std::string(63, 'a'));
}

TEST_CASE("a name has at most 255 bytes") {
  std::string name;
  while (name.size() < 251)
    name += "abc.";
  CHECK(normalized(name + "abc") == name + "abc");
  CHECK(normalized(name + "abc.") == name + "abc");
  CHECK(normalized(name + "abcd") == "");
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
  config.mistake.variable = "SOCKS_DEBUG"; // it could have been in SOCKSIFY_DNS
  CHECK(is_fake_ip(0xc6120001));
  config.active = false;
  CHECK_FALSE(is_fake_ip(0xc6120001));
}

TEST_CASE("a process knows every fake IP that it was given") {
  const auto name = [](int i) { return *host_name::normalized("host" + std::to_string(i)); };
  const auto ip = [](int i) { return fake_ip::network + 50'000 + uint32_t(i) * 3; };
  for (int i = 0; i < 2000; ++i)
    CHECK(own_fake_ips::remember(ip(i), name(i)));
  int wrong = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto found = own_fake_ips::name_of(ip(i));
    wrong += !found || found->view() != name(i).view();
  }
  CHECK(wrong == 0);
  CHECK_FALSE(own_fake_ips::name_of(ip(0) + 1));
  CHECK_FALSE(own_fake_ips::name_of(ip(0) - 10'000));
}

TEST_CASE("a fake IP that is given again stands for its new name") {
  const uint32_t ip = fake_ip::network + 7;
  const auto longest = host_name::normalized("a." + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                                             std::string(63, 'd') + "." + std::string(61, 'e'));
  REQUIRE(longest);
  CHECK(own_fake_ips::remember(ip, *longest));
  CHECK(own_fake_ips::name_of(ip)->view() == longest->view());
  CHECK(own_fake_ips::remember(ip, *host_name::normalized("short.example")));
  CHECK(own_fake_ips::name_of(ip)->view() == "short.example");
}

TEST_CASE("only fake IPs are remembered") {
  for (const uint32_t ip : {0u, fake_ip::network - 1, fake_ip::network + fake_ip::count, ~0u}) {
    CHECK(own_fake_ips::remember(ip, *host_name::normalized("host.example")));
    CHECK_FALSE(own_fake_ips::name_of(ip));
  }
}

TEST_CASE("a child can remember and find names, whatever other threads were writing at the fork") {
  forks::watch();
  std::atomic<bool> over{false};
  const uint32_t first = fake_ip::network + 1000;
  const auto one = host_name::normalized("one.example"), other = host_name::normalized("other.example");
  std::atomic<size_t> failed{0};
  std::thread writer([&] {
    for (uint32_t i = 0; !over; i = (i + 1) % 100)
      failed += !own_fake_ips::remember(first + i, i % 2 ? *one : *other);
  });
  size_t wrong = 0;
  for (int i = 0; i < 40; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      bool is_sound = true;
      for (uint32_t at = 0; at < 100; ++at)
        if (const auto found = own_fake_ips::name_of(first + at))
          is_sound = is_sound && found->view() == (at % 2 ? one : other)->view();
      const bool is_kept = own_fake_ips::remember(first + 100, *other);
      const auto found = own_fake_ips::name_of(first + 100);
      _exit(is_sound && is_kept && found && found->view() == other->view() ? 0 : 1);
    }
    int status = -1;
    wrong += waitpid(child, &status, 0) != child || status != 0;
  }
  over = true;
  writer.join();
  CHECK(wrong == 0);
  CHECK(failed == 0);
}
