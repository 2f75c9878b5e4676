// SPDX-License-Identifier: MIT
#include "names/hostent.h"
#include "names/fake_ips.h"
#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace socksify;

namespace {

LookupResult two_families() {
  LookupResult answer{.name = *host_name::normalized("host.example"), .ips = {}};
  answer.add(Ip::from(0x0a000001));
  answer.add(*parse_ip("2001:db8::1"));
  answer.add(Ip::from(0x0a000002));
  answer.add(Ip::from(0x0a000001)); // a duplicate
  return answer;
}

} // namespace

TEST_CASE("a hostent has the addresses of its family, and lies in the buffer") {
  hostent entry{};
  char buffer[200];
  REQUIRE(fill_hostent(two_families(), AF_INET, &entry, buffer, sizeof buffer) == 0);
  CHECK(entry.h_name == std::string("host.example"));
  CHECK(entry.h_aliases[0] == nullptr);
  CHECK(entry.h_length == 4);
  CHECK(std::memcmp(entry.h_addr_list[0], "\x0a\0\0\1", 4) == 0);
  CHECK(std::memcmp(entry.h_addr_list[1], "\x0a\0\0\2", 4) == 0);
  CHECK(entry.h_addr_list[2] == nullptr);
  for (const void* part : {static_cast<void*>(entry.h_name), static_cast<void*>(entry.h_aliases),
                           static_cast<void*>(entry.h_addr_list), static_cast<void*>(entry.h_addr_list[1])})
    CHECK((part >= buffer && part < buffer + sizeof buffer));
  REQUIRE(fill_hostent(two_families(), AF_INET6, &entry, buffer, sizeof buffer) == 0);
  CHECK(entry.h_length == 16);
  CHECK(entry.h_addr_list[1] == nullptr);
}

TEST_CASE("buffers that are too small by any number of bytes, at any alignment") {
  std::vector<char> room(256);
  hostent entry{};
  for (size_t odd = 0; odd < 8; ++odd) {
    size_t needed = 0;
    while (fill_hostent(two_families(), AF_INET, &entry, room.data() + odd, needed) != 0) {
      CHECK(errno == ERANGE);
      REQUIRE(++needed < 200);
    }
    CHECK(needed >= 8 + 24 + 8 + 13);
  }
}

TEST_CASE("a name without an address of the family has no data") {
  LookupResult answer{.name = *host_name::normalized("host.example"), .ips = {}};
  answer.add(Ip::from(0x0a000001));
  hostent entry{};
  char buffer[200];
  CHECK(fill_hostent(answer, AF_INET6, &entry, buffer, sizeof buffer) == NO_DATA);
}
