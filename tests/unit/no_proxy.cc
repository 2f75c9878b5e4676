// SPDX-License-Identifier: MIT
// Each rule that curl's documentation has for NO_PROXY (curl(1) ENVIRONMENT and --noproxy, CURLOPT_NOPROXY(3)), and
// what curl 7.88 does where they are silent.
#include "config/no_proxy.h"
#include "kernel/fork.h"
#include <atomic>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace socksify;

TEST_CASE("addresses, networks, a lone `*`; anything else matches nothing") {
  struct Case {
    const char *list, *ip;
    bool matches;
  };
  for (const Case& that : std::initializer_list<Case>{
           {"", "192.0.2.1", false},
           {"*", "192.0.2.1", true},
           {"*", "2001:db8::1", true},
           {"*,x", "192.0.2.1", false},
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"192.0.2.1", "::ffff:192.0.2.1", true},
           {"a.example, 192.0.2.1", "192.0.2.1", true},
           {"a.example 192.0.2.1\tx", "192.0.2.1", true},
           {",,192.0.2.1", "192.0.2.1", true},
           {"10.0.0.0/8", "10.255.0.1", true},
           {"10.0.0.0/8", "11.0.0.1", false},
           {"10.128.0.0/9", "10.127.255.255", false},
           {"10.128.0.0/9", "10.128.0.0", true},
           {"0.0.0.0/0", "8.8.8.8", true},
           {"0.0.0.0/0", "2001:db8::1", false},
           {"192.0.2.1/32", "192.0.2.1", true},
           {"192.0.2.0/31", "192.0.2.1", true},
           {"192.0.2.0/31", "192.0.2.2", false},
           {"192.0.2.0/33", "192.0.2.0", false},
           {"192.0.2.0/", "192.0.2.0", false},
           {"192.0.2.0/x", "192.0.2.0", false},
           {"2001:db8::/32", "2001:db8:ffff::1", true},
           {"2001:db8::/32", "2001:db9::1", false},
           {"2001:db8::/127", "2001:db8::1", true},
           {"2001:db8::/127", "2001:db8::2", false},
           {"::/0", "192.0.2.1", false},
           {"2001:db8::1", "2001:db8::1", true}, // IPv6 addresses are given without enclosing brackets
           {"[2001:db8::1]", "2001:db8::1", false},
           {"192.168.0.0/16", "192.168.200.1", true}, // "would match all addresses starting with 192.168"
           {"192.168", "192.168.0.1", false},
           {"192.0.2.1:80", "192.0.2.1", false},
           {"x,*", "192.0.2.1", false},
           {" *", "192.0.2.1", false},
       }) {
    CAPTURE(that.list);
    CAPTURE(that.ip);
    CHECK(no_proxy::matches(that.list, *parse_ip(that.ip)) == that.matches);
  }
}

TEST_CASE("names and their subdomains") {
  struct Case {
    const char *list, *name;
    bool matches;
  };
  for (const Case& that : std::initializer_list<Case>{
           // "ample.com" would match ample.com, ample.com:80, and www.ample.com, but not www.example.com or
           // ample.com.org"
           {"ample.com", "ample.com", true},
           {"ample.com", "www.ample.com", true},
           {"ample.com", "www.example.com", false},
           {"ample.com", "ample.com.org", false},
           {"ample.com", "com", false},
           {"www.ample.com", "ample.com", false},
           // The only wildcard is a single * character, which matches all hosts
           {"*", "example.com", true},
           {"*.example.com", "www.example.com", false},
           {"*,x", "example.com", false},
           {"exa*", "example.com", false},
           // An empty string enables the proxy for all
           {"", "example.com", false},
           // A comma-separated list; blanks are no part of a name, and separate as well
           {"a.example,b.example", "b.example", true},
           {"a.example, b.example", "b.example", true},
           {"a.example ,b.example", "a.example", true},
           {"a.example b.example", "b.example", true},
           {"a.example\tb.example", "b.example", true},
           {"  b.example  ", "b.example", true},
           {",,b.example,", "b.example", true},
           {",", "b.example", false},
           // Dots at either end
           {".example.com", "www.example.com", true},
           {".example.com", "example.com", true},
           {".example.com", "badexample.com", false},
           {"..example.com", "example.com", false},
           {"example.com.", "www.example.com", true},
           {"example.com", "www.example.com.", true},
           {".", "example.com", false},
           {"..", "example.com", false},
           // Case does not matter
           {"EXAMPLE.com", "www.Example.COM", true},
           // No ports, and no addresses for names
           {"example.com:80", "example.com", false},
           {"192.0.2.1", "example.com", false},
           {"0.0.0.0/0", "example.com", false},
       }) {
    CAPTURE(that.list);
    CAPTURE(that.name);
    CHECK(no_proxy::matches(that.list, std::string_view{that.name}) == that.matches);
  }
}

// A child that does without an entry would proxy what NO_PROXY names.
TEST_CASE("a child records direct addresses although another thread was recording one at the fork") {
  forks::watch();
  std::atomic<bool> over{false};
  const Ip contested = Ip::from(0xc0000207);
  std::thread writer([&] {
    for (bool is_direct = true; !over; is_direct = !is_direct)
      no_proxy::record(contested, is_direct);
  });
  size_t wrong = 0;
  for (int i = 0; i < 40; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      no_proxy::record(contested, true);
      _exit(no_proxy::is_recorded(contested) ? 0 : 1);
    }
    int status = -1;
    wrong += waitpid(child, &status, 0) != child || status != 0;
  }
  over = true;
  writer.join();
  CHECK(wrong == 0);
}
