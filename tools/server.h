// SPDX-License-Identifier: MIT
// Accepts clients and owns their sessions. One server, one loop, one thread.
#pragma once
#include "loop.h"
#include "options.h"
#include "pipes.h"
#include "session.h"
#include <memory>
#include <unordered_map>

namespace socksify {

class Server {
public:
  // Listens from now on. Throws Failure, in words for the user.
  Server(Loop& loop, const Options& options);

  Endpoint endpoint() const { return m_endpoint; } // where clients connect to
  bool is_own(Endpoint destination) const;

  // For sessions.
  Loop& loop() { return m_loop; }
  const Options& options() const { return m_options; }
  PipePool& pipes() { return m_pipes; }
  void ended(Session& session); // REQUIRES: the last thing that the session does

private:
  void accept_clients();
  bool accept_client();
  void begin_session(Fd client, Fd outgoing);
  void listen();
  void pause();

  Loop& m_loop;
  const Options m_options;
  PipePool m_pipes;
  Watch m_listener;
  Timer m_pause;
  bool m_paused = false;
  Endpoint m_endpoint;
  Fd m_next; // the next session's socket for its application server
  std::unordered_map<Session*, std::unique_ptr<Session>> m_sessions;
};

} // namespace socksify
