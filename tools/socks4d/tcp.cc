// SPDX-License-Identifier: MIT
#include "socks4d/tcp.h"
#include "common/system_call.h"
#include <algorithm>
#include <cstdio>
#include <memory>
#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>

#ifndef IP_LOCAL_PORT_RANGE // before glibc 2.38
#define IP_LOCAL_PORT_RANGE 51
#endif

namespace socksify {
namespace {

void set_option(int fd, int level, int name, int value = 1) {
  check("setsockopt", ::setsockopt(fd, level, name, &value, sizeof value));
}

// Zero for an address of a Unix socket.
Endpoint to_endpoint(const sockaddr_in& in) {
  return in.sin_family == AF_INET ? Endpoint{ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)} : Endpoint{};
}

int bind_to(int fd, Endpoint endpoint) {
  const SocketAddress address(endpoint, AF_INET);
  return ::bind(fd, address.get(), address.length);
}

int connect_to(int fd, Endpoint endpoint) {
  const SocketAddress address(endpoint, AF_INET);
  return ::connect(fd, address.get(), address.length);
}

Fd datagram_socket() { return Fd(check("socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))); }

struct PortRange {
  unsigned first = 32768, last = 60999; // Linux's own choice
};

// Where a port is taken from that nobody has named. It may not be told to services (systemd.exec(5): ProcSubset=).
PortRange local_ports() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"),
                                                             std::fclose);
  PortRange range;
  const bool is_told = file && std::fscanf(file.get(), "%u %u", &range.first, &range.last) == 2;
  return is_told ? range : PortRange{};
}

PortRange random_part(PortRange range) {
  constexpr unsigned size = 64;
  uint32_t random = 0;
  check("getrandom", ::getrandom(&random, sizeof random, GRND_NONBLOCK));
  const unsigned first = range.first + random % (range.last - range.first + 1);
  return {first, std::min(first + size - 1, range.last)};
}

// Unchecked: before Linux 6.3 the whole range is looked through. ip(7): the upper bound in the upper 16 bits.
void look_for_port_in(int fd, PortRange part) {
  const uint32_t bounds = part.last << 16 | part.first;
  ::setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &bounds, sizeof bounds);
}

} // namespace

Fd make_socket() {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd)
    prepare_socket(fd.get());
  return fd;
}

void prepare_socket(int fd) {
  // Whoever wrote the bytes has decided on their grouping: a relay that holds back small ones adds a round
  // trip.
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  // A host that vanished without FIN would hold an idle relay for ever.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
  // An urgent byte keeps its place in the stream (telnet and FTP send some); the relay finds it at the mark.
  set_option(fd, SOL_SOCKET, SO_OOBINLINE);
}

void listen_at(int fd, Endpoint endpoint, int backlog) {
  check("bind", bind_to(fd, endpoint));
  check("listen", ::listen(fd, backlog));
}

// bind(2) of port 0 looks at every second port of the range, then at the others: with half of them taken, that is 20 ms
// (Linux 6.18), for which all sessions of the thread would wait. A random part of the range has a free one, too.
void listen_for_one(int fd, uint32_t ip) {
  static const PortRange range = local_ports();
  bool is_bound = false;
  for (int tries = 8; !is_bound && tries > 0; --tries) {
    look_for_port_in(fd, random_part(range));
    is_bound = bind_to(fd, {ip, 0}) == 0;
    if (!is_bound && errno != EADDRINUSE)
      break;
  }
  if (!is_bound)
    throw Failure("bind");
  check("listen", ::listen(fd, 0));
}

Accepted accept_from(int fd) {
  sockaddr_in in{};
  socklen_t length = sizeof in;
  Fd accepted(::accept4(fd, reinterpret_cast<sockaddr*>(&in), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const bool is_unix = accepted && in.sin_family == AF_UNIX;
  return {std::move(accepted), is_unix ? unix_peer : to_endpoint(in)};
}

bool start_connect(int fd, uint32_t source, Endpoint destination) {
  if (source) {
    // The port is chosen in connect(), where it need only be free towards this destination: otherwise all
    // connections to everywhere would share one range of ports.
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    check("bind", bind_to(fd, {source, 0}));
  }
  return connect_to(fd, destination) == 0 || errno == EINPROGRESS;
}

int connect_result(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  check("getsockopt", ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
  return error;
}

Endpoint local_endpoint(int fd) {
  sockaddr_in in{};
  socklen_t length = sizeof in;
  check("getsockname", ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &length));
  return to_endpoint(in);
}

// connect() on a datagram socket sends nothing; it asks the routing table.
uint32_t source_towards(uint32_t ip) {
  constexpr uint16_t any_port = 9;
  const Fd fd = datagram_socket();
  return connect_to(fd.get(), {ip, any_port}) == 0 ? local_endpoint(fd.get()).ip : 0;
}

// All of 127.0.0.0/8 is: no packet with such an address comes from outside (RFC 1122, 3.2.1.3).
// The address is looked at before a port is chosen, of which there may be none left.
bool is_own_address(uint32_t ip) {
  if (ip >> 24 == IN_LOOPBACKNET || bind_to(datagram_socket().get(), {ip, 0}) == 0 || errno == EADDRINUSE)
    return true;
  if (errno != EADDRNOTAVAIL)
    throw Failure("bind");
  return false;
}

void reset_at_close(int fd) {
  const linger at_once{1, 0};
  // Unchecked: it is called where a relay is given up, and there is nothing else that could be done.
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace socksify
