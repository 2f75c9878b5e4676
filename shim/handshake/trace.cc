// SPDX-License-Identifier: MIT
#include "handshake/trace.h"
#include "config/no_proxy.h"
#include "handshake/server_choice.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>

namespace socksify::trace {
namespace {

int64_t now() { return Deadline::after(1).when() - 1; }

// Milliseconds since an exchange with this deadline started.
int64_t elapsed(Deadline deadline) { return now() - deadline.when() + int64_t{config().timeout} * 1000; }

using Phrase = Text<272>;

Phrase text_of(const Server& server) {
  Phrase text;
  if (server.is_unix)
    text.append("unix:{}", server.host.view());
  else
    text.append("{}:{}", server.host.view(), server.port);
  return text;
}

Phrase text_of(const IpPort& destination) {
  Phrase text;
  char ipv6[INET6_ADDRSTRLEN] = "";
  if (destination.ip.is_ipv4())
    text.add(fake_ips::shown(destination.endpoint()).view());
  else if (inet_ntop(AF_INET6, destination.ip.bytes, ipv6, sizeof ipv6))
    text.append("[{}]:{}", std::string_view{ipv6}, destination.port);
  return text;
}

std::string_view meaning(int error) {
  const char* text = strerrordesc_np(error);
  return text ? text : "";
}

// The meaning of the errno here; errno_of() and Handshake show where each one comes from.
std::string_view meaning(int error, const Handshake& handshake, const Attempt& attempt) {
  const bool is_known = attempt.ip != 0 || config().servers[attempt.server].is_unix;
  if (handshake.is_unsent() && !is_known)
    return "the SOCKS server's name cannot be resolved";
  if (handshake.is_unsent())
    return servers::is_unreached(error) ? "the SOCKS server cannot be reached"
           : error == EADDRNOTAVAIL     ? "this host has no local port for a connection to the SOCKS server"
                                        : meaning(error);
  switch (error) {
  case ECONNREFUSED:
    return "the SOCKS server rejected it, or cannot reach the destination (reply 91)";
  case EACCES:
    return "this host's ident service did not answer the SOCKS server, or named another user (replies 92, 93)";
  case ECONNRESET:
    return "the SOCKS server ended the connection without a reply";
  case EPROTO:
    return "the server does not speak SOCKS4";
  case ETIMEDOUT:
    return "no reply within SOCKSIFY_TIMEOUT";
  }
  return meaning(error);
}

// Why a connection to this destination is direct: see route() in config/ and route_of() in connect.cc.
Phrase why_direct(const IpPort& destination, bool is_tcp) {
  Phrase why;
  const Ip& ip = destination.ip;
  if (!is_tcp)
    why.add("not TCP");
  else if (!config().proxy_loopback && (ip.is_loopback() || ip.is_any()))
    why.add("this host");
  else if (const auto rule = no_proxy::rule_for(config().no_proxy, ip); !rule.empty())
    why.append("NO_PROXY has {}", rule);
  else if (no_proxy::is_recorded(ip))
    why.add("NO_PROXY has its name");
  else if (ip.is_ipv4() && servers::includes(destination.endpoint()))
    why.add("the SOCKS server itself");
  else
    why.add("not for the SOCKS server");
  return why;
}

} // namespace

void connect_finished(const Handshake& handshake, const Attempt& attempt, Deadline deadline, int error) {
  if (!is_on())
    return;
  KeepErrno keep;
  const bool is_bind = handshake.command() == socks4::Command::bind;
  const std::string_view what = is_bind ? "BIND for a call from" : "CONNECT";
  const Phrase server = text_of(config().servers[attempt.server]);
  const fake_ips::Shown destination = fake_ips::shown(handshake.destination());
  const int64_t milliseconds = elapsed(deadline);
  if (error)
    return log(1, "{} {} through {}: {} after {} ms: {}", what, destination.view(), server.view(), error_name(error),
               milliseconds, meaning(error, handshake, attempt));
  Phrase seen;
  if (const Endpoint reported = Exchange::reported_by(handshake, attempt.ip); reported.port != 0)
    seen.append(", {} {}", is_bind ? "listening at" : "seen as", to_text(reported).view());
  log(1, "{} {} through {}: granted after {} ms{}", what, destination.view(), server.view(), milliseconds, seen.view());
}

void rejected(const IpPort& destination, Route why) {
  if (!is_on())
    return;
  KeepErrno keep;
  const Phrase where = text_of(destination);
  const Mistake& mistake = config().mistake;
  if (why == Route::unreachable)
    log(1, "{} unreachable: ENETUNREACH: SOCKS4 has no IPv6", where.view());
  else if (mistake.variable)
    log(1, "{} denied: EACCES: {}: {}", where.view(), mistake.variable, mistake.reason);
  else
    log(1, "{} denied: EACCES: the kernel does not say what kind of socket it is", where.view());
}

int connect_directly(int fd, const sockaddr* address, socklen_t length) {
  const auto destination = is_readable(address, length) ? IpPort::from(address, length) : std::nullopt;
  const auto state = destination ? tcp_state(fd) : std::nullopt;
  if (!destination || (state && state != TCP_CLOSE)) // already connected, and traced before
    return REAL(connect)(fd, address, length);
  const int64_t began = now();
  const int result = REAL(connect)(fd, address, length);
  KeepErrno keep;
  log(1, "{} direct, {}: {} after {} ms", text_of(*destination).view(),
      why_direct(*destination, state.has_value()).view(),
      result == 0            ? "connected"
      : errno == EINPROGRESS ? "in progress"
                             : error_name(errno),
      now() - began);
  return result;
}

void call_accepted(Endpoint peer, Endpoint local, int fd) {
  if (is_on())
    log(1, "BIND: {} called at {}: fd {}", fake_ips::shown(peer).view(), fake_ips::shown(local).view(), fd);
}

void call_failed(Endpoint primary, Endpoint local, bool has_replied) {
  if (!is_on())
    return;
  log(1, "BIND for a call from {}: ECONNABORTED: {} at {}", fake_ips::shown(primary).view(),
      has_replied ? "nobody called in time, or another host did (SOCKSIFY_BIND=any allows that),"
                  : "the SOCKS server ended the connection before a call",
      fake_ips::shown(local).view());
}

} // namespace socksify::trace
