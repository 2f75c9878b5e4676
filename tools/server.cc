// SPDX-License-Identifier: MIT
#include "server.h"
#include "check.h"
#include "sockets.h"
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

namespace socksify {

using namespace std::chrono_literals;

namespace {

constexpr int clients_at_once = 64; // before the sessions have their turn
constexpr auto pause_length = 100ms;

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

// Better said now than in every reply.
void try_bind_address(uint32_t ip) {
  if (ip && !is_own_address(ip))
    throw Failure(fmt::format("cannot use the bind address {}", ::inet_ntoa({htonl(ip)})));
}

} // namespace

Server::Server(Loop& loop, const Options& options)
    : m_loop(loop), m_options(options), m_listener(loop, open_listener(options.listen)), m_pause(loop),
      m_endpoint(local_endpoint(m_listener.fd())) {
  try_bind_address(options.bind_address);
  listen();
}

// A connection to ourselves would ask for nothing but the next one.
bool Server::is_own(Endpoint destination) const {
  if (destination.port != m_endpoint.port)
    return false;
  return destination.ip == m_endpoint.ip || (m_endpoint.ip == INADDR_ANY && is_own_address(destination.ip));
}

void Server::ended(Session& session) {
  m_sessions.erase(&session);
  if (m_sessions.empty())
    m_pipes.release();
  if (m_paused)
    listen();
}

void Server::listen() {
  m_paused = false;
  m_pause.cancel();
  if (!m_next)
    m_next = make_socket();
  m_listener.expect(EPOLLIN, [this](uint32_t) { accept_clients(); });
}

// Clients wait in the backlog meanwhile. Left readable, the listening socket would keep the loop spinning.
void Server::pause() {
  m_paused = true;
  m_pipes.release();
  m_listener.expect(0, [](uint32_t) {});
  m_pause.set(pause_length, [this] { listen(); });
}

void Server::accept_clients() {
  for (int i = 0; i < clients_at_once; ++i)
    if (!accept_client())
      return;
}

// A client is accepted when there is a socket for its application server, too: when descriptors are short,
// few clients are served and the others wait, instead of many accepted and refused. False: no more for now.
bool Server::accept_client() try {
  if (!m_next)
    m_next = make_socket();
  Accepted client = m_next ? accept_from(m_listener.fd()) : Accepted{};
  if (!client.fd && would_block())
    return false;
  if (client.fd)
    begin_session(std::move(client.fd), std::move(m_next));
  else if (errno != ECONNABORTED)
    pause(); // mostly EMFILE
  return !m_paused;
} catch (const std::exception&) {
  pause();
  return false;
}

void Server::begin_session(Fd client, Fd outgoing) {
  auto session = std::make_unique<Session>(*this, std::move(client), std::move(outgoing));
  Session* const key = session.get();
  m_sessions.emplace(key, std::move(session));
}

} // namespace socksify
