// SPDX-License-Identifier: MIT
// Addresses as SOCKS4 knows them: IPv4 and a port. Shared by the shim and the server.
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

// A socket address as the kernel takes it. `family` is the socket's own: on an AF_INET6 socket an
// IPv4 endpoint is spelled ::ffff:a.b.c.d.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  SocketAddress() = default;
  SocketAddress(Endpoint endpoint, int family);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // Copies out the way getsockname(2) does: at most *room bytes, *room becomes the full length.
  void copy_to(sockaddr* address, socklen_t* room) const;
};

// The 16 bytes of an IPv6 address; IPv4 is v4-mapped (RFC 4291, 2.5.5.2). One form for every rule.
struct Ip {
  uint8_t bytes[16]{};

  static Ip from(uint32_t ipv4);
  bool operator==(const Ip&) const = default;
  bool is_ipv4() const;
  bool is_loopback() const;
  bool is_any() const;
  uint32_t ipv4() const;
};

// An IP address with a port in host byte order: what a sockaddr of either family says.
struct IpPort {
  Ip ip;
  uint16_t port = 0;

  // Nothing for other families and for lengths that are too short.
  static std::optional<IpPort> from(const sockaddr* address, socklen_t length);
  Endpoint endpoint() const { return {ip.ipv4(), port}; }
};

// "10.1.2.3" or "::1"; nothing else (no names, no short forms).
std::optional<Ip> parse_ip(std::string_view text);
// "10.1.2.3" as a number in host byte order.
std::optional<uint32_t> parse_ipv4(std::string_view text);
// A decimal number from least to most, digits only.
std::optional<unsigned> parse_number(std::string_view text, unsigned least, unsigned most);

// "10.1.2.3:1080".
Text<22> to_text(Endpoint endpoint);

} // namespace socksify
