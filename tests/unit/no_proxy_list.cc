// SPDX-License-Identifier: MIT
#include "base/no_proxy_list.h"
#include <doctest/doctest.h>
#include <string>

using namespace socksify;

namespace {

std::string dead_entries(std::string_view list) {
  std::string all;
  while (!list.empty())
    if (const auto entry = next_dead_entry(list); !entry.empty())
      all.append(entry).append("|");
  return all;
}

} // namespace

TEST_CASE("entries of NO_PROXY that can match") {
  CHECK(dead_entries("*").empty());
  CHECK(dead_entries("").empty());
  CHECK(dead_entries("a.example, .b.example 10.0.0.0/8,10.0.0.1\t::1,2001:db8::/32").empty());
  CHECK(dead_entries("::ffff:192.0.2.1,10.example,a.10b,3com.example.,.,a..,1a").empty());
}

TEST_CASE("entries of NO_PROXY that cannot match") {
  CHECK(dead_entries("*.x, host:80,good,10.0.0.1/99 [1.2.3.4]") == "*.x|host:80|10.0.0.1/99|[1.2.3.4]|");
  CHECK(dead_entries("a,*") == "*|");
  CHECK(dead_entries("127.1,10,10.1.1.999,1.2.3.4.5,::1::2,a:80:90") ==
        "127.1|10|10.1.1.999|1.2.3.4.5|::1::2|a:80:90|");
  CHECK(why_dead("http://a.example") == std::string{"entries are not URLs"});
  CHECK(dead_entries("/8,[::1]:80,::/129,a/8") == "/8|[::1]:80|::/129|a/8|");
}
