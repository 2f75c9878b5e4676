// SPDX-License-Identifier: MIT
#include "socks4d/shared.h"
#include "socks4d/net/tcp.h"
#include "socks4d/policy/policy_file.h"
#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

namespace socks4d {
namespace {

std::shared_ptr<const Policy> load_policy(const std::string& file) {
  return std::make_shared<const Policy>(file.empty() ? Policy{} : read_policy(file));
}

// Only at the start may the file be missing. If it vanishes later, that is an error: an empty policy would allow what
// its rules had denied.
std::shared_ptr<const Policy> initial_policy(const Options& options) try {
  return load_policy(options.config);
} catch (const Failure& failure) {
  if (!options.may_lack_config || failure.code().value() != ENOENT)
    throw;
  return load_policy("");
}

// Better one error now than one in every reply.
void check_bind_address(uint32_t ip) {
  if (ip && !is_own_address(ip))
    throw Failure(fmt::format("cannot use the bind address {}", ::inet_ntoa({htonl(ip)})));
}

void complain(const std::string& text) { write_line(STDERR_FILENO, "socks4d: " + text + "\n"); }

} // namespace

Shared::Shared(const Options& options)
    : m_options(options), m_policy(initial_policy(options)), m_access_log(options.log),
      m_listeners(Listener::inherited()) {
  if (m_listeners.empty())
    for (const ListenAddress& address : options.listen)
      m_listeners.emplace_back(address);
  if (options.fast_open)
    for (const Listener& listener : m_listeners)
      listener.enable_fast_open();
  check_bind_address(options.bind_address);
}

std::shared_ptr<const Policy> Shared::policy() const {
  const std::lock_guard lock(m_mutex);
  return m_policy;
}

// Such a connection would only ask for the next one.
bool Shared::listens_at(Endpoint destination) const {
  return std::any_of(m_listeners.begin(), m_listeners.end(), [&](const Listener& listener) {
    const Endpoint own = listener.address().endpoint;
    return !listener.is_unix() && own.port == destination.port &&
           (own.ip == destination.ip || destination.ip == INADDR_ANY ||
            (own.ip == INADDR_ANY && is_own_address(destination.ip)));
  });
}

void Shared::stop_listening() {
  for (const Listener& listener : m_listeners)
    if (!listener.is_inherited())
      ::shutdown(listener.fd(), SHUT_RDWR);
}

void Shared::reload_policy() {
  auto policy = load_policy(m_options.config);
  const std::lock_guard lock(m_mutex);
  m_policy = std::move(policy);
}

void Shared::reload() {
  try {
    reload_policy();
  } catch (const std::exception& error) {
    complain(fmt::format("{}; keeping the previous rules", error.what()));
  }
  try {
    m_access_log.reopen();
  } catch (const std::exception& error) {
    complain(fmt::format("{}; keeping the previous log", error.what()));
  }
}

std::string Shared::report() const {
  return fmt::format(
      "time={} clients={} accepted={} connects={} binds={} rejected={} up={} down={} log-lines-lost={}\n", timestamp(),
      m_counters.clients.load(), m_counters.accepted.load(), m_counters.connects.load(), m_counters.binds.load(),
      m_counters.rejected.load(), m_counters.bytes_up.load(), m_counters.bytes_down.load(), m_access_log.lost_lines());
}

} // namespace socks4d
