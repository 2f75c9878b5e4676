// SPDX-License-Identifier: MIT
// CONNECT: tries the addresses of the destination in turn.
#include "socks4d/server.h"
#include "socks4d/session/session.h"

namespace socks4d {

using socks4::Code;

namespace {

// A connection that was never established is "refused"; the kernel says "reset" only of an established one
// (tcp_reset()). An application server may accept and reset at once. The client should see that as it would on a direct
// connection: after a 90.
bool was_refused(int fd, uint32_t events) {
  if (!(events & (EPOLLERR | EPOLLHUP)))
    return false;
  const int error = connect_result(fd);
  return error != ECONNRESET && error != EPIPE;
}

} // namespace

// The remaining time is divided among the remaining addresses: one that never answers must not use up all of it.
void Session::connect_to_next() {
  auto& addresses = m_setup->addresses;
  while (!addresses.empty()) {
    const auto share = (m_setup->deadline - Loop::Clock::now()) / static_cast<int>(addresses.size());
    m_request.destination.ip = addresses.front();
    addresses.erase(addresses.begin());
    if (!start_next_connect())
      continue;
    m_setup->timer.set(share, step<&Session::connect_timed_out>());
    m_peer.expect(Relay::watched_events, [this](uint32_t events) { run([this, events] { connected(events); }); });
    return;
  }
  reject(Code::rejected, m_reason);
}

// False if this destination is out of the question. For the kernel 0.0.0.0 is this host, which the client did not mean.
bool Session::start_next_connect() {
  const bool is_self = m_request.destination.ip == INADDR_ANY || m_server.shared().listens_at(m_request.destination);
  m_reason = is_self ? "destination is this server" : "destination unreachable";
  if (is_self)
    return false;
  if (!m_peer.is_open())
    m_peer.replace(make_socket());
  if (!m_peer.is_open())
    throw Failure("socket");
  if (start_connect(m_peer.fd(), m_server.shared().options().bind_address, m_request.destination))
    return true;
  m_peer.close();
  return false;
}

void Session::connect_timed_out() {
  m_reason = "timed out";
  m_peer.close();
  if (m_setup->addresses.empty())
    return time_out();
  connect_to_next();
}

// If the destination is a free port of this host, the kernel may choose that very port to connect from. The socket has
// then connected to itself, although the connection should have been refused.
void Session::connected(uint32_t events) {
  const bool is_refused = was_refused(m_peer.fd(), events);
  const Endpoint local = is_refused ? Endpoint{} : local_endpoint(m_peer.fd());
  if (is_refused || local == m_request.destination) {
    m_peer.close();
    return connect_to_next();
  }
  reply({Code::granted, local});
  relay(events);
}

} // namespace socks4d
