// SPDX-License-Identifier: MIT
// IP addresses and ports. Shared by the shim and the server.
#pragma once
#include "base/text.h"
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>

namespace socksify {

// An IPv4 address and a port, both in host byte order.
struct Endpoint {
  uint32_t ip = 0;
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
  bool is_loopback() const { return ip >> 24 == 127; }
};

// A socket address for the kernel. `family` is the socket's: on an AF_INET6 socket, an IPv4 endpoint is written as
// ::ffff:a.b.c.d.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  SocketAddress() = default;
  SocketAddress(Endpoint endpoint, int family);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // Copies out like getsockname(2): at most *size bytes, then sets *size to the full length.
  void copy_to(sockaddr* address, socklen_t* size) const;
};

// The 16 bytes of an IPv6 address; IPv4 is v4-mapped (RFC 4291, 2.5.5.2), so that rules need one form only.
struct Ip {
  uint8_t bytes[16]{};

  static Ip from(uint32_t ipv4);
  bool operator==(const Ip&) const = default;
  bool is_ipv4() const;
  bool is_loopback() const;
  bool is_any() const;
  uint32_t ipv4() const;
};

// An IP address and a port in host byte order: the contents of a sockaddr of either family.
struct IpPort {
  Ip ip;
  uint16_t port = 0;

  // Nullopt for other families, and if the length is too short.
  static std::optional<IpPort> from(const sockaddr* address, socklen_t length);
  Endpoint endpoint() const { return {ip.ipv4(), port}; }
};

// Accepts "10.1.2.3" and "::1", but no names and no short forms.
std::optional<Ip> parse_ip(std::string_view text);
// "10.1.2.3" as a number in host byte order.
std::optional<uint32_t> parse_ipv4(std::string_view text);
// A decimal number from `least` to `most`, digits only.
std::optional<unsigned> parse_number(std::string_view text, unsigned least, unsigned most);

// "10.1.2.3:1080".
Text<22> to_text(Endpoint endpoint);

} // namespace socksify
