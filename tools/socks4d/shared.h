// SPDX-License-Identifier: MIT
// What all threads of the server share: where it listens, what is allowed, the log, the counters.
#pragma once
#include "socks4d/access_log.h"
#include "socks4d/bind_calls.h"
#include "socks4d/listener.h"
#include "socks4d/options.h"
#include "socks4d/policy.h"
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace socksify {

struct Counters {
  std::atomic<uint64_t> clients{0}; // now
  std::atomic<uint64_t> accepted{0}, connects{0}, binds{0}, rejected{0};
  std::atomic<uint64_t> bytes_up{0}, bytes_down{0};
};

class Site {
public:
  // Reads the rules, opens the log and listens. Throws what is wrong, in words for the user.
  explicit Site(const Options& options);

  const Options& options() const { return m_options; }
  std::shared_ptr<const Policy> policy() const;
  Journal& journal() { return m_journal; }
  Counters& counters() { return m_counters; }
  Calls& calls() { return m_calls; }

  const std::vector<Listener>& listeners() const { return m_listeners; }
  // True if a connection to there would be one to the server itself.
  bool is_own(Endpoint destination) const;
  // So that nobody is taken in any more: the service manager's sockets stay its own.
  void stop_listening();

  // SIGHUP: the rules anew, if they are right, and the log. SIGUSR1: one line of counters.
  void reload();
  std::string report() const;

private:
  void say(const std::string& text);

  const Options m_options;
  mutable std::mutex m_mutex;
  std::shared_ptr<const Policy> m_policy;
  Journal m_journal;
  Counters m_counters;
  Calls m_calls;
  std::vector<Listener> m_listeners;
};

} // namespace socksify
