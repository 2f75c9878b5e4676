// SPDX-License-Identifier: MIT
#include "socks4d/net/tcp.h"
#include "socks4d/net/free_port.h"
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace socks4d {
namespace {

void set_option(int fd, int level, int name, int value = 1) {
  check("setsockopt", ::setsockopt(fd, level, name, &value, sizeof value));
}

// Zero for the address of a Unix socket.
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

} // namespace

Fd make_socket() {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd)
    prepare_socket(fd.get());
  return fd;
}

void prepare_socket(int fd) {
  // The sender has already grouped its bytes: a relay that holds back small groups adds a round trip.
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  // Otherwise a host that vanishes without a FIN keeps an idle relay open forever.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
  // Keeps an urgent byte, which telnet and FTP send, at its place in the stream: the relay finds it at the mark.
  set_option(fd, SOL_SOCKET, SO_OOBINLINE);
}

void listen_at(int fd, Endpoint endpoint, int backlog) {
  check("bind", bind_to(fd, endpoint));
  check("listen", ::listen(fd, backlog));
}

void listen_for_one(int fd, uint32_t ip) {
  check("bind", bind_to_free_port(fd, ip));
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
    // connect() then chooses the port, which need only be free towards this destination. Otherwise all connections
    // to everywhere share one range of ports.
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

// connect() on a datagram socket sends nothing; it only asks the routing table.
uint32_t source_towards(uint32_t ip) {
  constexpr uint16_t any_port = 9;
  const Fd fd = datagram_socket();
  return connect_to(fd.get(), {ip, any_port}) == 0 ? local_endpoint(fd.get()).ip : 0;
}

// All of 127.0.0.0/8 is: no packet with such an address comes from outside (RFC 1122, 3.2.1.3). bind(2) checks the
// address first: EADDRINUSE only means that no port is left.
bool is_own_address(uint32_t ip) {
  if (ip >> 24 == IN_LOOPBACKNET || bind_to(datagram_socket().get(), {ip, 0}) == 0 || errno == EADDRINUSE)
    return true;
  if (errno != EADDRNOTAVAIL)
    throw Failure("bind");
  return false;
}

void reset_at_close(int fd) {
  const linger at_once{1, 0};
  // Unchecked: the caller is giving up on a relay and could do nothing else.
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace socks4d
