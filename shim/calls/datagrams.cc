// SPDX-License-Identifier: MIT
#include "calls/datagrams.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "config/no_proxy.h"
#include "config/route.h"
#include "kernel/fork.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

namespace socksify::datagrams {
namespace {

// --- what a socket is

// An option of the socket; -1 if it is none, -2 if the kernel does not tell: a system call filter may forbid it.
constexpr int no_socket = -1, untold = -2;

int option(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  if (REAL(getsockopt)(fd, SOL_SOCKET, name, &value, &length) == 0)
    return value;
  return errno == EBADF || errno == ENOTSOCK ? no_socket : untold;
}

// Of the network's sockets only TCP's know urgent data.
bool has_urgent_mark(int fd) {
  int mark = 0;
  return REAL(ioctl)(fd, SIOCATMARK, &mark) == 0;
}

bool is_tcp(int fd) {
  const int type = option(fd, SO_TYPE);
  const int protocol = type == SOCK_STREAM ? option(fd, SO_PROTOCOL) : no_socket;
  return type == untold ? has_urgent_mark(fd) : protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

bool leaves_by_other_means(int domain) {
  return domain == AF_PACKET || domain == AF_XDP || domain == AF_RDS || domain == AF_TIPC;
}

bool is_ip(int domain) { return domain == AF_INET || domain == AF_INET6; }

// The domain of a socket that is for the network but not TCP; else no_socket. A socket of which nothing is known may be
// one.
int bypassing_domain(int fd) {
  if (is_tcp(fd))
    return no_socket;
  const int domain = option(fd, SO_DOMAIN);
  return is_ip(domain) || leaves_by_other_means(domain) || domain == untold ? domain : no_socket;
}

// --- where it sends

sa_family_t family_of(const void* address, socklen_t length) {
  sa_family_t family = AF_UNSPEC;
  if (address && length >= sizeof family)
    std::memcpy(&family, address, sizeof family);
  return family;
}

// The kernel takes AF_UNSPEC for AF_INET when an IPv4 socket sends.
std::optional<IpPort> unspecified(const void* address, socklen_t length) {
  sockaddr_in ipv4;
  if (!address || length < sizeof ipv4)
    return std::nullopt;
  std::memcpy(&ipv4, address, sizeof ipv4);
  ipv4.sin_family = AF_INET;
  return IpPort::from(reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4);
}

std::optional<IpPort> peer_of(int fd) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (REAL(getpeername)(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0)
    return std::nullopt;
  return IpPort::from(reinterpret_cast<const sockaddr*>(&peer), length);
}

// Without a usable address the socket sends to its peer, or fails.
std::optional<IpPort> destination_of(int fd, int domain, const void* address, socklen_t length) {
  const bool has_family = family_of(address, length) != AF_UNSPEC;
  const auto given = has_family           ? IpPort::from(static_cast<const sockaddr*>(address), length)
                     : domain == AF_INET6 ? std::nullopt
                                          : unspecified(address, length);
  return given ? given : peer_of(fd);
}

constexpr uint16_t dns = 53;

bool is_on_this_host(const Ip& ip) { return ip.is_loopback() || ip.is_any(); } // as the kernel takes 0.0.0.0 and ::

bool leaves_host(const IpPort& destination) { return destination.port == dns || !is_on_this_host(destination.ip); }

// --- what happens then

void warn_once(const char* what) {
  static constinit std::atomic<bool> is_printed{false};
  if (!is_printed.exchange(true, std::memory_order_relaxed))
    print_line("{} {}", program_invocation_short_name, what);
}

// EACCES, or 0.
int refuse(const char* what = "sends datagrams that bypass the SOCKS server") {
  if (config().leak == Leak::deny)
    return EACCES;
  warn_once(what);
  return 0;
}

// An errno, or 0. AF_UNSPEC in connect() ends a connection.
int refusal(int fd, const void* address, socklen_t length) {
  KeepErrno keep;
  const int domain = bypassing_domain(fd);
  if (domain == no_socket)
    return 0;
  if (leaves_by_other_means(domain))
    return refuse();
  const auto destination = destination_of(fd, domain, address, length);
  if (destination && config().is_fake_ip(destination->ip))
    return EHOSTUNREACH;
  return destination && config().leak != Leak::allow && leaves_host(*destination) ? refuse() : 0;
}

// A quick look, without system calls.
bool may_be_refused(const void* address, socklen_t length) {
  const Config& settings = config();
  if (forks::is_module_calling() || (settings.leak == Leak::allow && !settings.uses_fake_ips()) ||
      (address && !is_readable(address, length)))
    return false;
  const auto family = family_of(address, length);
  const auto destination =
      family == AF_UNSPEC ? unspecified(address, length) : IpPort::from(static_cast<const sockaddr*>(address), length);
  if (settings.leak == Leak::allow)
    return settings.uses_fake_ips() && destination && settings.is_fake_ip(destination->ip);
  return !destination || family == AF_UNSPEC || leaves_host(*destination);
}

bool fails(int error) {
  if (error)
    errno = error;
  return error;
}

// A DNS server on this host that is asked by TCP. Where NO_PROXY names it, the user wants that.
int refusal_of_tcp(int fd, const sockaddr* address, socklen_t length) {
  const auto destination = IpPort::from(address, length);
  if (config().leak == Leak::allow || !destination || destination->port != dns || !is_on_this_host(destination->ip))
    return 0;
  const bool is_wanted = no_proxy::matches(config().no_proxy, destination->ip);
  KeepErrno keep;
  const bool is_direct = !is_wanted && route(config(), *destination) == Route::direct;
  return is_direct && is_tcp(fd) ? refuse("queries a DNS server on this host, past the SOCKS server") : 0;
}

} // namespace

bool is_connect_refused(int fd, const sockaddr* address, socklen_t length) {
  if (!may_be_refused(address, length) || family_of(address, length) == AF_UNSPEC)
    return false;
  const int error = refusal(fd, address, length);
  return fails(error ? error : refusal_of_tcp(fd, address, length));
}

bool is_send_refused(int fd, const void* address, socklen_t length) {
  return may_be_refused(address, length) && fails(refusal(fd, address, length));
}

bool is_query_refused() {
  if (forks::is_module_calling() || config().leak == Leak::allow || refuse() == 0)
    return false;
  errno = EACCES;
  h_errno = NO_RECOVERY;
  return true;
}

} // namespace socksify::datagrams
