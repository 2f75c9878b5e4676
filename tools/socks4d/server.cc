// SPDX-License-Identifier: MIT
#include "socks4d/server.h"
#include "socks4d/net/tcp.h"
#include <fcntl.h>

namespace socks4d {

using namespace std::chrono_literals;

namespace {

constexpr int clients_at_once = 64; // then the sessions have their turn
constexpr auto pause_length = 100ms;

// A slot among the clients of all threads. It is taken before there is a client: otherwise two threads could both fill
// the last one.
class ClientSlot {
public:
  explicit ClientSlot(std::atomic<uint64_t>& clients) : m_clients(clients), m_number(++clients) {}
  ~ClientSlot() {
    if (!m_is_kept)
      --m_clients;
  }
  ClientSlot(const ClientSlot&) = delete;
  ClientSlot& operator=(const ClientSlot&) = delete;

  bool is_beyond(unsigned limit) const { return limit != 0 && m_number > limit; }
  void keep() { m_is_kept = true; }

private:
  std::atomic<uint64_t>& m_clients;
  const uint64_t m_number;
  bool m_is_kept = false;
};

} // namespace

Server::Server(Loop& loop, Shared& shared)
    : m_loop(loop), m_shared(shared), m_relay_resources{{}, shared.bind_calls()}, m_resolver(loop), m_pause(loop) {
  for (const Listener& listener : shared.listeners())
    m_listeners.emplace_back(loop, Fd(check("fcntl", ::fcntl(listener.fd(), F_DUPFD_CLOEXEC, 0))));
  m_relay_resources.pipes.reserve(); // now: descriptors may be short later
  resume();
}

Server::~Server() {
  for (Session& session : m_sessions)
    session.cut_off();
}

void Server::remove(std::list<Session>::iterator session) {
  m_sessions.erase(session);
  --m_shared.counters().clients;
  if (m_sessions.empty()) {
    m_relay_resources.pipes.shrink();
    m_relay_resources.pipes.reserve(); // a relay that was cut off may have destroyed the last pipe
  }
  if (m_is_paused)
    resume();
}

// Tries again after a pause if anything is missing.
void Server::resume() try {
  m_is_paused = false;
  m_pause.cancel();
  if (!m_next_outgoing)
    m_next_outgoing = make_socket();
  for (Watch& listener : m_listeners)
    listener.expect(EPOLLIN | EPOLLEXCLUSIVE, [this, &listener](uint32_t) { accept_clients(listener.fd()); });
} catch (const std::exception&) {
  pause();
}

// Clients wait in the backlog. The listening sockets are not watched meanwhile: they are readable, and the loop would
// spin.
void Server::pause() {
  m_is_paused = true;
  m_relay_resources.pipes.shrink();
  for (Watch& listener : m_listeners)
    listener.expect_nothing();
  m_pause.set(pause_length, [this] { resume(); });
}

void Server::accept_clients(int listener) {
  for (int i = 0; i < clients_at_once; ++i)
    if (!accept_client(listener))
      return;
}

// False: no more clients for now.
bool Server::accept_client(int listener) try { return accept_within_limit(listener); } catch (const std::exception&) {
  pause();
  return false;
}

// Accepts a client only if there is also a socket for its application server. When descriptors are short, the server
// serves a few clients while the others wait, instead of accepting many and refusing them.
bool Server::accept_within_limit(int listener) {
  auto policy = m_shared.policy();
  ClientSlot slot(m_shared.counters().clients);
  if (!m_next_outgoing)
    m_next_outgoing = make_socket();
  if (!m_next_outgoing || slot.is_beyond(policy->max_clients)) {
    pause();
    return false;
  }
  Accepted client = accept_from(listener);
  if (client.fd) {
    begin_session(std::move(client), std::move(policy));
    slot.keep();
    return true;
  }
  if (would_block())
    return false;
  if (errno != ECONNABORTED)
    pause(); // usually EMFILE
  return !m_is_paused;
}

void Server::begin_session(Accepted client, std::shared_ptr<const Policy> policy) {
  m_sessions.emplace_back(*this, std::move(client), std::move(m_next_outgoing), std::move(policy));
  m_sessions.back().set_position(std::prev(m_sessions.end()));
  ++m_shared.counters().accepted;
}

} // namespace socks4d
