// SPDX-License-Identifier: MIT
#include "base/address.h"
#include <arpa/inet.h>
#include <cstring>
#include <doctest/doctest.h>
#include <string>

using namespace socksify;

TEST_CASE("an endpoint keeps its value in either address family") {
  const Endpoint endpoint{0x0a010203, 4711};
  for (const int family : {AF_INET, AF_INET6}) {
    const SocketAddress address{endpoint, family};
    CHECK(address.get()->sa_family == family);
    const auto back = IpPort::from(address.get(), address.length);
    REQUIRE(back.has_value());
    CHECK(back->ip.is_ipv4());
    CHECK(back->endpoint() == endpoint);
  }
  const SocketAddress mapped{endpoint, AF_INET6};
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(mapped.get())->sin6_addr, text, sizeof text);
  CHECK(std::string(text) == "::ffff:10.1.2.3");
}

TEST_CASE("short, null and foreign addresses are rejected; longer ones are accepted") {
  const SocketAddress address{{0x0a010203, 80}, AF_INET}, six{{0x0a010203, 80}, AF_INET6};
  CHECK_FALSE(IpPort::from(nullptr, 16));
  for (socklen_t length = 0; length < sizeof(sockaddr_in); ++length)
    CHECK_FALSE(IpPort::from(address.get(), length));
  CHECK(IpPort::from(address.get(), 128));
  CHECK_FALSE(IpPort::from(six.get(), 23));
  CHECK(IpPort::from(six.get(), 24)); // without sin6_scope_id, as in RFC 2133; Linux still accepts it
  const sockaddr local{AF_UNIX, {}};
  CHECK_FALSE(IpPort::from(&local, sizeof local));
}

TEST_CASE("an address is copied like getsockname() does: truncated, with its full length") {
  const SocketAddress address{{0x0a010203, 80}, AF_INET};
  unsigned char room[32];
  for (socklen_t size : {0, 1, 8, 16, 32}) {
    std::memset(room, 0xee, sizeof room);
    socklen_t length = size;
    address.copy_to(reinterpret_cast<sockaddr*>(room), &length);
    CHECK(length == sizeof(sockaddr_in));
    const size_t copied = std::min<size_t>(size, sizeof(sockaddr_in));
    CHECK(std::memcmp(room, address.get(), copied) == 0);
    CHECK(room[copied] == 0xee);
  }
}

TEST_CASE("numbers and addresses in text") {
  CHECK(parse_ipv4("127.0.0.1") == 0x7f000001u);
  CHECK(parse_ipv4("255.255.255.255") == 0xffffffffu);
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "::1", "::ffff:1.2.3.4", "localhost"})
    CHECK_FALSE(parse_ipv4(bad));
  CHECK(parse_ip("::1")->is_loopback());
  CHECK(parse_ip("::")->is_any());
  CHECK(parse_ip("127.255.0.1")->is_loopback());
  CHECK(parse_ip("0.0.0.0")->is_any());
  CHECK_FALSE(parse_ip("128.0.0.1")->is_loopback());
  CHECK_FALSE(parse_ip(std::string(200, '1')));
  CHECK(parse_number("0", 0, 9) == 0u);
  CHECK(parse_number("65535", 1, 65535) == 65535u);
  for (const char* bad : {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x1", "99999999999"})
    CHECK_FALSE(parse_number(bad, 1, 65535));
  CHECK(to_text({0xffffffff, 65535}).view() == "255.255.255.255:65535");
  CHECK(to_text({}).view() == "0.0.0.0:0");
}
