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
  if (forks::is_looking_up())
    return std::nullopt; // a signal handler connects in the middle of a look-up
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

constexpr int64_t rest_after_failure = 30'000; // milliseconds

// What this process knows of each server.
struct Knowledge {
  std::atomic<uint32_t> ip{0};
  std::atomic<int64_t> rests_until{0};
};
constinit Knowledge known[most_servers];

// The address, if the configuration has it or it was looked up before; else 0.
uint32_t known_ip(int number) {
  uint32_t ip = known[number].ip.load(std::memory_order_relaxed);
  if (ip != 0 || config().servers[number].is_unix)
    return ip;
  ip = parse_ipv4(config().servers[number].host.view()).value_or(0);
  known[number].ip.store(ip, std::memory_order_relaxed);
  return ip;
}

} // namespace

std::optional<Endpoint> endpoint(int number) {
  const Server& server = config().servers[number];
  uint32_t ip = known_ip(number);
  if (ip == 0 && !server.is_unix) {
    KeepErrno keep;
    ip = resolve(server.host.c_str()).value_or(0);
    known[number].ip.store(ip, std::memory_order_relaxed);
  }
  if (ip == 0)
    return std::nullopt;
  return Endpoint{ip, server.port};
}

bool is_on_this_host(int number) {
  const auto address = endpoint(number);
  return config().servers[number].is_unix || (address && address->is_loopback());
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
    const int64_t until = known[number].rests_until.load(std::memory_order_relaxed);
    if (until == 0 || Deadline::at(until).left() == 0)
      return number;
    if (resting < 0)
      resting = number;
  }
  return resting;
}

void mark_unreached(int number) {
  if (config().server_count > 1)
    known[number].rests_until.store(Deadline::after(rest_after_failure).when(), std::memory_order_relaxed);
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
  case ENOENT:     // this and the rest: of a Unix socket
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
