// SPDX-License-Identifier: MIT
#include "socks4d/shared.h"
#include "common/system_call.h"
#include "socks4d/tcp.h"
#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

namespace socksify {
namespace {

std::shared_ptr<const Policy> load_policy(const std::string& file) {
  return std::make_shared<const Policy>(file.empty() ? Policy{} : read_policy(file));
}

// A file that is gone later is a mistake, which must not open what its rules had closed.
std::shared_ptr<const Policy> first_policy(const Options& options) try {
  return load_policy(options.config);
} catch (const Failure& failure) {
  if (!options.may_lack_config || failure.code().value() != ENOENT)
    throw;
  return load_policy("");
}

// Better said now than in every reply.
void try_bind_address(uint32_t ip) {
  if (ip && !is_own_address(ip))
    throw Failure(fmt::format("cannot use the bind address {}", ::inet_ntoa({htonl(ip)})));
}

} // namespace

Site::Site(const Options& options)
    : m_options(options), m_policy(first_policy(options)), m_journal(options.log), m_listeners(Listener::passed()) {
  if (m_listeners.empty())
    for (const ListenAddress& address : options.listen)
      m_listeners.emplace_back(address);
  if (options.fast_open)
    for (const Listener& listener : m_listeners)
      listener.let_open_fast();
  try_bind_address(options.bind_address);
}

std::shared_ptr<const Policy> Site::policy() const {
  const std::lock_guard lock(m_mutex);
  return m_policy;
}

// A connection to ourselves would ask for nothing but the next one.
bool Site::is_own(Endpoint destination) const {
  return std::any_of(m_listeners.begin(), m_listeners.end(), [&](const Listener& listener) {
    const Endpoint own = listener.address().endpoint;
    return !listener.is_unix() && own.port == destination.port &&
           (own.ip == destination.ip || destination.ip == INADDR_ANY ||
            (own.ip == INADDR_ANY && is_own_address(destination.ip)));
  });
}

void Site::stop_listening() {
  for (const Listener& listener : m_listeners)
    if (!listener.is_passed())
      ::shutdown(listener.fd(), SHUT_RDWR);
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

void Site::say(const std::string& text) { write_line(STDERR_FILENO, "socks4d: " + text + "\n"); }

} // namespace socksify
