// SPDX-License-Identifier: MIT
// Accepts clients and owns their sessions: one for each thread, with the loop of that thread. They share the listening
// sockets; the kernel wakes one of them for a client.
#pragma once
#include "socks4d/loop.h"
#include "socks4d/pipes.h"
#include "socks4d/resolver.h"
#include "socks4d/session.h"
#include "socks4d/shared.h"
#include <list>

namespace socksify {

class Server {
public:
  Server(Loop& loop, Site& site);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // For sessions.
  Loop& loop() { return m_loop; }
  Site& site() { return m_site; }
  RelayMeans& relay_means() { return m_relay_means; }
  Resolver& resolver() { return m_resolver; }
  void ended(std::list<Session>::iterator session); // REQUIRES: the last thing that the session does

private:
  void accept_clients(int listener);
  bool accept_client(int listener);
  void begin_session(Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy);
  void listen();
  void pause();

  Loop& m_loop;
  Site& m_site;
  RelayMeans m_relay_means;
  Resolver m_resolver;
  std::list<Watch> m_listeners;
  Timer m_pause;
  bool m_paused = false;
  Fd m_next; // the next session's socket for its application server
  std::list<Session> m_sessions;
};

} // namespace socksify
