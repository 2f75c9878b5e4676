// SPDX-License-Identifier: MIT
#include "handshake/server_choice.h"
#include "base/fd.h"
#include "config/config.h"
#include "kernel/deadline.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include <atomic>
#include <cerrno>
#include <netdb.h>

namespace socksify {
namespace {

std::optional<uint32_t> resolve(const char* host) {
  const forks::LookupGuard now;
  addrinfo hints{}, *list = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (REAL(getaddrinfo)(host, nullptr, &hints, &list) != 0 || !list)
    return std::nullopt;
  const auto found = IpPort::from(list->ai_addr, list->ai_addrlen);
  freeaddrinfo(list);
  if (!found)
    return std::nullopt;
  return found->ip.ipv4();
}

} // namespace

namespace servers {
namespace {

constexpr int64_t rest_of_unreached = 30'000; // milliseconds

constinit std::atomic<uint32_t> known[most_servers]{};
constinit std::atomic<int64_t> resting_until[most_servers]{};

// An address that is written as one, or has been looked up.
uint32_t known_ip(int number) {
  uint32_t ip = known[number].load(std::memory_order_relaxed);
  if (ip != 0 || config().servers[number].is_unix)
    return ip;
  ip = parse_ipv4(config().servers[number].host.view()).value_or(0);
  known[number].store(ip, std::memory_order_relaxed);
  return ip;
}

} // namespace

std::optional<Endpoint> endpoint(int number) {
  const Server& server = config().servers[number];
  uint32_t ip = known_ip(number);
  if (ip == 0 && !server.is_unix) {
    KeepErrno keep;
    ip = resolve(server.host.c_str()).value_or(0);
    known[number].store(ip, std::memory_order_relaxed);
  }
  if (ip == 0)
    return std::nullopt;
  return Endpoint{ip, server.port};
}

bool any_unix() {
  for (int number = 0; number < config().server_count; ++number)
    if (config().servers[number].is_unix)
      return true;
  return false;
}

bool includes(Endpoint address) {
  for (int number = 0; number < config().server_count; ++number)
    if (address.port == config().servers[number].port && address.ip != 0 && known_ip(number) == address.ip)
      return true;
  return false;
}

int next(unsigned tried) {
  int resting = -1;
  for (int number = 0; number < config().server_count; ++number) {
    if (tried & 1u << number)
      continue;
    const int64_t until = resting_until[number].load(std::memory_order_relaxed);
    if (until == 0 || Deadline::at(until).left() == 0)
      return number;
    if (resting < 0)
      resting = number;
  }
  return resting;
}

void note_unreached(int number) {
  if (config().server_count > 1)
    resting_until[number].store(Deadline::after(rest_of_unreached).when(), std::memory_order_relaxed);
}

bool is_unreached(int error) {
  switch (error) {
  case ECONNREFUSED:
  case ETIMEDOUT:
  case EHOSTUNREACH:
  case ENETUNREACH:
  case EHOSTDOWN:
  case ENETDOWN:
  case ECONNRESET: // a firewall's answer to a SYN
  case ENOENT:     // of a Unix socket, and these
  case EACCES:
  case EPERM:
  case ENOTSOCK:
  case ENOTDIR:
  case EAGAIN:
    return true;
  }
  return false;
}

} // namespace servers
} // namespace socksify
