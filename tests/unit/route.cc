// SPDX-License-Identifier: MIT
#include "config/route.h"
#include "config/no_proxy.h"
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

TEST_CASE("an inactive library connects directly") {
  Config config = configured();
  config.active = false;
  CHECK(to(config, "192.0.2.1") == Route::direct);
  CHECK(to(config, "2001:db8::1") == Route::direct);
}

TEST_CASE("a mistake in the configuration denies only what would have been proxied") {
  Config config = configured("10.0.0.0/8");
  config.mistake.variable = "SOCKS_SERVER";
  CHECK(to(config, "192.0.2.1") == Route::denied);
  CHECK(to(config, "2001:db8::1") == Route::denied);
  CHECK(to(config, "127.0.0.1") == Route::direct);
  CHECK(to(config, "10.1.1.1") == Route::direct);
}

TEST_CASE("a name that NO_PROXY matches is direct, and so are its addresses") {
  const Config config = configured("inside.example,10.0.0.0/8");
  CHECK(is_direct_name(config, "a.inside.example"));
  CHECK_FALSE(is_direct_name(config, "outside.example"));
  const Ip ip = *parse_ip("192.0.2.77"), ip6 = *parse_ip("2001:db8::77");
  no_proxy::record(ip, true);
  no_proxy::record(ip6, true);
  CHECK(to(config, "192.0.2.77") == Route::direct);
  CHECK(to(config, "2001:db8::77") == Route::direct);
  CHECK(to(config, "192.0.2.78") == Route::proxy);
  CHECK(to(config, "2001:db8::78") == Route::unreachable);
  no_proxy::record(ip, false); // another name has the same address
  CHECK(to(config, "192.0.2.77") == Route::proxy);
}
