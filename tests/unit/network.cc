// SPDX-License-Identifier: MIT
#include "base/network.h"
#include "base/unix_address.h"
#include <doctest/doctest.h>
#include <string>

using namespace socksify;

namespace {

constexpr uint32_t documentation = 0xc0000207; // 192.0.2.7

} // namespace

TEST_CASE("every IPv4 prefix length") {
  for (unsigned prefix = 0; prefix <= 32; ++prefix) {
    const uint32_t mask = prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix);
    const Network network{Ip::from(documentation & mask), prefix};
    CHECK_FALSE(network.has_host_bits());
    CHECK(network.contains(Ip::from(documentation)));
    CHECK(network.contains(Ip::from(documentation ^ ~mask)));
    if (prefix > 0)
      CHECK_FALSE(network.contains(Ip::from(documentation ^ (uint32_t{1} << (32 - prefix)))));
  }
}

TEST_CASE("a single address is a network of one") {
  CHECK(parse_network("192.0.2.7") == Network{Ip::from(documentation), 32});
  CHECK(parse_network("2001:db8::1")->prefix == 128);
  CHECK_FALSE(parse_network("192.0.2.7")->contains(Ip::from(documentation + 1)));
}

TEST_CASE("a network contains only addresses of its family") {
  CHECK_FALSE(parse_network("0.0.0.0/0")->contains(*parse_ip("2001:db8::1")));
  CHECK_FALSE(parse_network("::/0")->contains(Ip::from(documentation)));
}

TEST_CASE("host bits are detected") {
  CHECK(parse_network("10.0.0.1/8")->has_host_bits());
  CHECK(parse_network("2001:db8::1/127")->has_host_bits());
  CHECK_FALSE(parse_network("2001:db8::/32")->has_host_bits());
  CHECK_FALSE(parse_network("0.0.0.0/0")->has_host_bits());
}

TEST_CASE("everything else is rejected") {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8",
                           "10/8", "::/129", "[::]/0", "localhost"})
    CHECK_FALSE(parse_network(text));
}

TEST_CASE("the address of a Unix socket: an absolute path that fits into sun_path") {
  CHECK(parse_unix_address("unix:/run/socks")->path == "/run/socks");
  CHECK(parse_unix_address("UNIX:/run/socks")->path == "/run/socks");
  CHECK_FALSE(parse_unix_address("unix:/run/socks")->error);
  CHECK(parse_unix_address("unix:")->error);
  CHECK(parse_unix_address("unix:run/socks")->error);
  CHECK_FALSE(parse_unix_address("unix:/" + std::string(106, 'p'))->error);
  CHECK(parse_unix_address("unix:/" + std::string(107, 'p'))->error);
  CHECK_FALSE(parse_unix_address("/run/socks"));
  CHECK_FALSE(parse_unix_address("127.0.0.1:1080"));
}
