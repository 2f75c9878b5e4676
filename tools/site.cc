// SPDX-License-Identifier: MIT
#include "site.h"
#include "check.h"
#include "sockets.h"
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace socksify {
namespace {

constexpr int first_passed_fd = 3; // sd_listen_fds(3)

std::shared_ptr<const Policy> load_policy(const std::string& file) {
  return std::make_shared<const Policy>(file.empty() ? Policy{} : read_policy(file));
}

Fd open_listener(Endpoint endpoint) try {
  Fd fd = make_socket();
  check("socket", fd.get());
  const int yes = 1; // a restart must not wait for the former server's connections to leave TIME_WAIT
  check("setsockopt", ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
  listen_at(fd.get(), endpoint, SOMAXCONN);
  return fd;
} catch (const Failure& failure) {
  throw Failure(fmt::format("cannot listen on {}", to_text(endpoint).view()), failure.code().value());
}

// The number in a variable of the socket activation protocol; 0 if it is not set or not a number.
int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? static_cast<int>(parse_number(text, 1, 1 << 22).value_or(0)) : 0;
}

// The listening sockets that a service manager has opened for us: LISTEN_FDS of them, if LISTEN_PID is us.
std::vector<Fd> passed_listeners() {
  std::vector<Fd> listeners;
  if (number_in("LISTEN_PID") != ::getpid())
    return listeners;
  const int count = number_in("LISTEN_FDS");
  for (int fd = first_passed_fd; fd < first_passed_fd + count; ++fd) {
    int is_listening = 0;
    socklen_t length = sizeof is_listening;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 || !is_listening ||
        local_endpoint(fd).port == 0)
      throw Failure(fmt::format("LISTEN_FDS: descriptor {} is not a listening TCP socket of IPv4", fd), EINVAL);
    check("fcntl", ::fcntl(fd, F_SETFD, FD_CLOEXEC));
    check("fcntl", ::fcntl(fd, F_SETFL, check("fcntl", ::fcntl(fd, F_GETFL)) | O_NONBLOCK));
    prepare_socket(fd);
    listeners.emplace_back(fd);
  }
  return listeners;
}

// Better said now than in every reply.
void try_bind_address(uint32_t ip) {
  if (ip && !is_own_address(ip))
    throw Failure(fmt::format("cannot use the bind address {}", ::inet_ntoa({htonl(ip)})));
}

} // namespace

Site::Site(const Options& options)
    : m_options(options), m_policy(load_policy(options.config)), m_journal(options.log),
      m_listeners(passed_listeners()) {
  m_is_activated = !m_listeners.empty();
  if (!m_is_activated)
    for (const Endpoint endpoint : options.listen)
      m_listeners.push_back(open_listener(endpoint));
  for (const Fd& listener : m_listeners)
    m_endpoints.push_back(local_endpoint(listener.get()));
  try_bind_address(options.bind_address);
}

std::shared_ptr<const Policy> Site::policy() const {
  const std::lock_guard lock(m_mutex);
  return m_policy;
}

// A connection to ourselves would ask for nothing but the next one.
bool Site::is_own(Endpoint destination) const {
  return std::any_of(m_endpoints.begin(), m_endpoints.end(), [&](Endpoint own) {
    return own.port == destination.port && (own.ip == destination.ip || destination.ip == INADDR_ANY ||
                                            (own.ip == INADDR_ANY && is_own_address(destination.ip)));
  });
}

void Site::stop_listening() {
  for (const Fd& listener : m_listeners)
    if (!m_is_activated)
      ::shutdown(listener.get(), SHUT_RDWR);
}

void Site::reload() {
  try {
    auto policy = load_policy(m_options.config);
    const std::lock_guard lock(m_mutex);
    m_policy = std::move(policy);
  } catch (const std::exception& error) {
    say(fmt::format("{}; the former rules stay", error.what()));
  }
  try {
    m_journal.reopen();
  } catch (const std::exception& error) {
    say(fmt::format("{}; the former log stays", error.what()));
  }
}

std::string Site::report() const {
  return fmt::format(
      "time={} clients={} accepted={} connects={} binds={} rejected={} up={} down={} log-lines-lost={}\n", timestamp(),
      m_counters.clients.load(), m_counters.accepted.load(), m_counters.connects.load(), m_counters.binds.load(),
      m_counters.rejected.load(), m_counters.bytes_up.load(), m_counters.bytes_down.load(), m_journal.lost());
}

void Site::say(const std::string& text) { std::fprintf(stderr, "socks4d: %s\n", text.c_str()); }

} // namespace socksify
