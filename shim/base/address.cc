// SPDX-License-Identifier: MIT
#include "base/address.h"
#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace socksify {
namespace {

constexpr uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr size_t longest_ip = INET6_ADDRSTRLEN - 1;
constexpr size_t length_without_scope = offsetof(sockaddr_in6, sin6_scope_id);

IpPort from_ipv4(const sockaddr* address) {
  sockaddr_in in;
  std::memcpy(&in, address, sizeof in);
  return {Ip::from(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
}

IpPort from_ipv6(const sockaddr* address) {
  sockaddr_in6 in6;
  std::memcpy(&in6, address, length_without_scope);
  IpPort result{{}, ntohs(in6.sin6_port)};
  std::memcpy(result.ip.bytes, &in6.sin6_addr, sizeof result.ip.bytes);
  return result;
}

} // namespace

Ip Ip::from(uint32_t ipv4) {
  Ip ip;
  std::copy(std::begin(v4_mapped), std::end(v4_mapped), ip.bytes);
  const uint32_t network = htonl(ipv4);
  std::memcpy(ip.bytes + 12, &network, 4);
  return ip;
}

bool Ip::is_ipv4() const { return std::equal(std::begin(v4_mapped), std::end(v4_mapped), bytes); }

bool Ip::is_loopback() const {
  const in6_addr one = IN6ADDR_LOOPBACK_INIT;
  return is_ipv4() ? bytes[12] == 127 : std::memcmp(bytes, &one, 16) == 0;
}

bool Ip::is_any() const {
  return std::all_of(bytes + (is_ipv4() ? 12 : 0), bytes + 16, [](uint8_t byte) { return byte == 0; });
}

uint32_t Ip::ipv4() const {
  uint32_t network;
  std::memcpy(&network, bytes + 12, 4);
  return ntohl(network);
}

// Copied, because a program may pass an unaligned address.
std::optional<IpPort> IpPort::from(const sockaddr* address, socklen_t length) {
  if (!address || length < sizeof(sa_family_t))
    return std::nullopt;
  sa_family_t family;
  std::memcpy(&family, address, sizeof family);
  if (family == AF_INET && length >= sizeof(sockaddr_in))
    return from_ipv4(address);
  if (family == AF_INET6 && length >= length_without_scope)
    return from_ipv6(address);
  return std::nullopt;
}

SocketAddress::SocketAddress(Endpoint endpoint, int family) {
  if (family == AF_INET6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(endpoint.port);
    const Ip ip = Ip::from(endpoint.ip);
    std::memcpy(&in6.sin6_addr, ip.bytes, sizeof ip.bytes);
    std::memcpy(&storage, &in6, length = sizeof in6);
    return;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(endpoint.port);
  in.sin_addr.s_addr = htonl(endpoint.ip);
  std::memcpy(&storage, &in, length = sizeof in);
}

void SocketAddress::copy_to(sockaddr* address, socklen_t* size) const {
  std::memcpy(address, &storage, std::min(*size, length));
  *size = length;
}

std::optional<Ip> parse_ip(std::string_view text) {
  if (text.empty() || text.size() > longest_ip)
    return std::nullopt;
  char terminated[longest_ip + 1]{};
  std::copy(text.begin(), text.end(), terminated);
  in_addr in;
  if (inet_pton(AF_INET, terminated, &in) == 1)
    return Ip::from(ntohl(in.s_addr));
  Ip ip;
  if (inet_pton(AF_INET6, terminated, ip.bytes) == 1)
    return ip;
  return std::nullopt;
}

std::optional<uint32_t> parse_ipv4(std::string_view text) {
  const auto ip = parse_ip(text);
  if (!ip || text.find(':') != text.npos)
    return std::nullopt;
  return ip->ipv4();
}

std::optional<unsigned> parse_number(std::string_view text, unsigned least, unsigned most) {
  if (text.empty() || text.size() > 9 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  unsigned number = 0;
  for (char digit : text)
    number = number * 10 + static_cast<unsigned>(digit - '0');
  if (number < least || number > most)
    return std::nullopt;
  return number;
}

Text<22> to_text(Endpoint endpoint) {
  Text<22> text;
  text.append("{}.{}.{}.{}:{}", endpoint.ip >> 24, endpoint.ip >> 16 & 0xff, endpoint.ip >> 8 & 0xff,
              endpoint.ip & 0xff, endpoint.port);
  return text;
}

} // namespace socksify
