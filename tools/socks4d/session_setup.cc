// SPDX-License-Identifier: MIT
// What a session does between a request that is allowed and the connection that it relays: CONNECT and BIND.
#include "common/system_call.h"
#include "socks4d/server.h"
#include "socks4d/session.h"
#include <algorithm>

namespace socksify {

using socks4::Code;

namespace {

// "Connection reset" is said of one that there was (tcp_reset(): before that, it is "refused"). An application server
// may accept and reset at once, which the client is to hear as if it were directly connected: after a 90.
bool has_failed(int fd, uint32_t events) {
  if (!(events & (EPOLLERR | EPOLLHUP)))
    return false;
  const int error = connect_result(fd);
  return error != ECONNRESET && error != EPIPE;
}

} // namespace

// Each address gets its share of the time, lest one that never answers takes all of it.
void Session::connect_to_next() {
  auto& addresses = m_establishing->addresses;
  while (!addresses.empty()) {
    const auto left = (m_establishing->limit - Loop::Clock::now()) / static_cast<int>(addresses.size());
    m_request.destination.ip = addresses.front();
    addresses.erase(addresses.begin());
    // The kernel takes 0.0.0.0 for this host, which is not what was asked for.
    const bool is_self = m_request.destination.ip == INADDR_ANY || m_server.site().is_own(m_request.destination);
    m_why = is_self ? "this server itself" : "cannot be reached";
    if (is_self)
      continue;
    if (!m_peer.is_open())
      m_peer.replace(make_socket());
    if (!m_peer.is_open())
      throw Failure("socket");
    if (start_connect(m_peer.fd(), m_server.site().options().bind_address, m_request.destination)) {
      m_establishing->timer.set(left, step<&Session::connect_timed_out>());
      m_peer.expect(Relay::events, [this](uint32_t events) { attempt([this, events] { connected(events); }); });
      return;
    }
    m_peer.close();
  }
  reject(Code::rejected, m_why);
}

void Session::connect_timed_out() {
  m_why = "time limit";
  m_peer.close();
  if (m_establishing->addresses.empty())
    return time_out();
  connect_to_next();
}

void Session::connected(uint32_t events) {
  const bool is_refused = has_failed(m_peer.fd(), events);
  const Endpoint local = is_refused ? Endpoint{} : local_endpoint(m_peer.fd());
  // To a free port of this host, the kernel may choose that very port to connect from: a socket that has
  // connected to itself, where a refusal was due.
  if (is_refused || local == m_request.destination) {
    m_peer.close();
    return connect_to_next();
  }
  reply({Code::granted, local});
  relay(events);
}

// "The SOCKS server obtains a socket to wait for an incoming connection and sends the port number and the IP
// address of that socket to the client." Without --bind-address it listens on the address that leads to the
// application server, which is also the one that the primary connection came from: FTP servers compare the
// two, and an address 0 would have the client fill in one that the application server may not reach.
void Session::bind() {
  uint32_t ip = m_server.site().options().bind_address;
  if (ip == INADDR_ANY && m_request.destination.ip != INADDR_ANY) {
    ip = source_towards(m_request.destination.ip);
    if (ip == INADDR_ANY)
      return reject(Code::rejected, "cannot be reached");
  }
  listen_for_one(m_peer.fd(), ip);
  const auto& expected = m_establishing->addresses;
  const Parties parties{m_origin.ip, expected.size() == 1 ? expected.front() : 0};
  m_establishing->call.emplace(m_server.site().calls(), m_peer.fd(), parties);
  Endpoint local = local_endpoint(m_peer.fd());
  if (local.ip == INADDR_ANY)
    local.ip = local_endpoint(m_client.fd()).ip; // what the client is to take for 0
  if (local.ip == INADDR_ANY)
    local.ip = INADDR_LOOPBACK; // by a Unix socket
  reply({Code::granted, local});
  m_peer.expect(EPOLLIN, step<&Session::caller_arrived>());
}

// One connection is accepted, whoever it is from. "The SOCKS server checks the IP address of the originating
// host against the value of DSTIP. If a mismatch is found, the CD field in the second reply is set to 91 and
// the SOCKS server closes both connections."
void Session::caller_arrived() {
  std::optional<Calls::Taking> taking(m_server.site().calls());
  Accepted caller = accept_from(m_peer.fd());
  if (!caller.fd && (would_block() || errno == ECONNABORTED))
    return;
  if (!caller.fd)
    return reject(Code::rejected, "cannot accept");
  m_peer.replace(std::move(caller.fd));
  const auto& expected = m_establishing->addresses;
  const bool is_anybody = m_request.host.empty() && m_request.destination.ip == INADDR_ANY;
  if (!is_anybody && std::find(expected.begin(), expected.end(), caller.peer.ip) == expected.end())
    return reject(Code::rejected, "a call from another host");
  reply({Code::granted, caller.peer});
  taking.reset();
  relay(0);
}

} // namespace socksify
