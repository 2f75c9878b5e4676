// SPDX-License-Identifier: MIT
#include "route.h"
#include <doctest/doctest.h>

using namespace socksify;

namespace {

Config configured(const char* no_proxy = "") {
  Config config;
  config.active = true;
  config.no_proxy = no_proxy;
  return config;
}

Route to(const Config& config, const char* ip) { return route(config, {*parse_ip(ip), 80}); }

} // namespace

TEST_CASE("IPv4 and v4-mapped destinations are proxied, IPv6 ones are unreachable") {
  CHECK(to(configured(), "192.0.2.1") == Route::proxy);
  CHECK(to(configured(), "::ffff:192.0.2.1") == Route::proxy);
  CHECK(to(configured(), "2001:db8::1") == Route::unreachable);
  CHECK(to(configured(), "fe80::1") == Route::unreachable);
}

TEST_CASE("this host is direct unless the user asks otherwise") {
  Config config = configured();
  for (const char* own : {"127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "::1", "0.0.0.0", "::"})
    CHECK(to(config, own) == Route::direct);
  config.proxy_loopback = true;
  CHECK(to(config, "127.0.0.1") == Route::proxy);
  CHECK(to(config, "::ffff:127.0.0.1") == Route::proxy);
}

TEST_CASE("an inactive library sends everything directly") {
  Config config = configured();
  config.active = false;
  CHECK(to(config, "192.0.2.1") == Route::direct);
  CHECK(to(config, "2001:db8::1") == Route::direct);
}

TEST_CASE("a mistake in the configuration denies what would have been proxied, and only that") {
  Config config = configured("10.0.0.0/8");
  config.mistake.variable = "SOCKS_SERVER";
  CHECK(to(config, "192.0.2.1") == Route::denied);
  CHECK(to(config, "2001:db8::1") == Route::denied);
  CHECK(to(config, "127.0.0.1") == Route::direct);
  CHECK(to(config, "10.1.1.1") == Route::direct);
}

TEST_CASE("NO_PROXY: addresses, networks, `*` alone; what is none of these matches nothing") {
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
       }) {
    CAPTURE(that.list);
    CAPTURE(that.ip);
    CHECK(matches_no_proxy(that.list, *parse_ip(that.ip)) == that.matches);
  }
}
