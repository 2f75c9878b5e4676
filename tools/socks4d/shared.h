// SPDX-License-Identifier: MIT
// What all threads of the server share: the listening sockets, the policy, the access log and the counters.
#pragma once
#include "socks4d/access_log.h"
#include "socks4d/net/listener.h"
#include "socks4d/options.h"
#include "socks4d/policy/policy.h"
#include "socks4d/session/bind_calls.h"
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace socks4d {

struct Counters {
  std::atomic<uint64_t> clients{0}; // connected now
  std::atomic<uint64_t> accepted{0}, connects{0}, binds{0}, rejected{0};
  std::atomic<uint64_t> bytes_up{0}, bytes_down{0};
};

class Shared {
public:
  // Reads the policy, opens the log and listens. Throws an error with a message for the user.
  explicit Shared(const Options& options);

  const Options& options() const { return m_options; }
  std::shared_ptr<const Policy> policy() const;
  AccessLog& access_log() { return m_access_log; }
  Counters& counters() { return m_counters; }
  BindCalls& bind_calls() { return m_bind_calls; }

  const std::vector<Listener>& listeners() const { return m_listeners; }
  // True if the server would connect to itself.
  bool listens_at(Endpoint destination) const;
  // Refuses new clients. Inherited sockets stay open: they belong to the service manager.
  void stop_listening();

  // SIGHUP: reads the policy again, replaces the old one if the file is valid, and reopens the log.
  void reload();
  // SIGUSR1: the counters, in one line.
  std::string report() const;

private:
  void reload_policy();

  const Options m_options;
  mutable std::mutex m_mutex; // protects m_policy
  std::shared_ptr<const Policy> m_policy;
  AccessLog m_access_log;
  Counters m_counters;
  BindCalls m_bind_calls;
  std::vector<Listener> m_listeners;
};

} // namespace socks4d
