// SPDX-License-Identifier: MIT
#include "socks4d/server.h"
#include "common/system_call.h"
#include "socks4d/tcp.h"
#include <fcntl.h>

namespace socksify {

using namespace std::chrono_literals;

namespace {

constexpr int clients_at_once = 64; // before the sessions have their turn
constexpr auto pause_length = 100ms;

// Among the clients that all threads serve at a time. Taken before there is a client, lest two threads have the last
// one.
class Place {
public:
  explicit Place(std::atomic<uint64_t>& clients) : m_clients(clients), m_number(++clients) {}
  ~Place() {
    if (!m_is_kept)
      --m_clients;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  uint64_t number() const { return m_number; }
  void keep() { m_is_kept = true; }

private:
  std::atomic<uint64_t>& m_clients;
  const uint64_t m_number;
  bool m_is_kept = false;
};

} // namespace

Server::Server(Loop& loop, Site& site)
    : m_loop(loop), m_site(site), m_relay_means{{}, site.calls()}, m_resolver(loop), m_pause(loop) {
  for (const Listener& listener : site.listeners())
    m_listeners.emplace_back(loop, Fd(check("fcntl", ::fcntl(listener.fd(), F_DUPFD_CLOEXEC, 0))));
  m_relay_means.pipes.reserve(); // now: descriptors may be short when it is needed
  listen();
}

Server::~Server() {
  for (Session& session : m_sessions)
    session.cut_off();
}

void Server::ended(std::list<Session>::iterator session) {
  m_sessions.erase(session);
  --m_site.counters().clients;
  if (m_sessions.empty()) {
    m_relay_means.pipes.release();
    m_relay_means.pipes.reserve(); // the one at hand may have gone with a relay that was cut off
  }
  if (m_paused)
    listen();
}

// What cannot be had now is asked for again after a pause.
void Server::listen() try {
  m_paused = false;
  m_pause.cancel();
  if (!m_next)
    m_next = make_socket();
  for (Watch& listener : m_listeners)
    listener.expect(EPOLLIN | EPOLLEXCLUSIVE, [this, &listener](uint32_t) { accept_clients(listener.fd()); });
} catch (const std::exception&) {
  pause();
}

// Clients wait in the backlog meanwhile. Left readable, the listening socket would keep the loop spinning.
void Server::pause() {
  m_paused = true;
  m_relay_means.pipes.release();
  for (Watch& listener : m_listeners)
    listener.expect_nothing();
  m_pause.set(pause_length, [this] { listen(); });
}

void Server::accept_clients(int listener) {
  for (int i = 0; i < clients_at_once; ++i)
    if (!accept_client(listener))
      return;
}

// A client is accepted when there is a socket for its application server, too: when descriptors are short,
// few clients are served and the others wait, instead of many accepted and refused. False: no more for now.
bool Server::accept_client(int listener) try {
  auto policy = m_site.policy();
  Place place(m_site.counters().clients);
  if (policy->max_clients && place.number() > policy->max_clients)
    pause();
  if (!m_next)
    m_next = make_socket();
  Accepted client = m_next && !m_paused ? accept_from(listener) : Accepted{};
  if (client.fd) {
    begin_session(std::move(client), std::move(m_next), std::move(policy));
    place.keep();
  } else if (!m_paused && would_block()) {
    return false;
  } else if (!m_paused && errno != ECONNABORTED) {
    pause(); // mostly EMFILE
  }
  return !m_paused;
} catch (const std::exception&) {
  pause();
  return false;
}

void Server::begin_session(Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy) {
  m_sessions.emplace_back(*this, std::move(client), std::move(outgoing), std::move(policy));
  m_sessions.back().keep(std::prev(m_sessions.end()));
  ++m_site.counters().accepted;
}

} // namespace socksify
