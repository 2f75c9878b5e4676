// SPDX-License-Identifier: MIT
// Accepts clients and owns their sessions. Each thread has a Server with its own loop. All of them watch the same
// listening sockets; the kernel wakes one for each client.
#pragma once
#include "socks4d/net/loop.h"
#include "socks4d/session/resolver.h"
#include "socks4d/session/session.h"
#include "socks4d/shared.h"
#include <list>

namespace socks4d {

class Server {
public:
  Server(Loop& loop, Shared& shared);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // For sessions.
  Loop& loop() { return m_loop; }
  Shared& shared() { return m_shared; }
  RelayResources& relay_resources() { return m_relay_resources; }
  Resolver& resolver() { return m_resolver; }
  void remove(std::list<Session>::iterator session); // destroys it

private:
  void accept_clients(int listener);
  bool accept_client(int listener);
  bool accept_within_limit(int listener);
  void begin_session(Accepted client, std::shared_ptr<const Policy> policy);
  void resume();
  void pause();

  Loop& m_loop;
  Shared& m_shared;
  RelayResources m_relay_resources;
  Resolver m_resolver;
  std::list<Watch> m_listeners;
  Timer m_pause;
  bool m_is_paused = false;
  Fd m_next_outgoing; // the next session's socket for its application server
  std::list<Session> m_sessions;
};

} // namespace socks4d
