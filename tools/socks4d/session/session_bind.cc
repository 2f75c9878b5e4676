// SPDX-License-Identifier: MIT
// BIND: listens for one call from the application server.
#include "socks4d/server.h"
#include "socks4d/session/session.h"
#include <algorithm>

namespace socks4d {

using socks4::Code;

// "The SOCKS server obtains a socket to wait for an incoming connection and sends the port number and the IP address of
// that socket to the client."
void Session::bind() {
  uint32_t ip = m_server.shared().options().bind_address;
  if (!choose_bind_address(ip))
    return reject(Code::rejected, "destination unreachable");
  listen_for_one(m_peer.fd(), ip);
  const auto& expected = m_setup->addresses;
  const Parties parties{m_origin.ip, expected.size() == 1 ? expected.front() : 0};
  m_setup->expected_call.emplace(m_server.shared().bind_calls(), m_peer.fd(), parties);
  reply({Code::granted, advertised_endpoint()});
  m_peer.expect(EPOLLIN, step<&Session::caller_arrived>());
}

// Without --bind-address: the address that leads to the application server. The primary connection came from there,
// too, and FTP servers compare the two. With an address of 0 the client would fill in one that the application server
// may not be able to reach.
bool Session::choose_bind_address(uint32_t& ip) {
  if (ip != INADDR_ANY || m_request.destination.ip == INADDR_ANY)
    return true;
  ip = source_towards(m_request.destination.ip);
  return ip != INADDR_ANY;
}

// For a socket bound to 0.0.0.0, the address that the client connected to, or loopback for a Unix socket.
Endpoint Session::advertised_endpoint() const {
  Endpoint local = local_endpoint(m_peer.fd());
  if (local.ip == INADDR_ANY)
    local.ip = local_endpoint(m_client.fd()).ip;
  if (local.ip == INADDR_ANY)
    local.ip = INADDR_LOOPBACK;
  return local;
}

// Accepts one connection, from any host. "The SOCKS server checks the IP address of the originating host against the
// value of DSTIP. If a mismatch is found, the CD field in the second reply is set to 91 and the SOCKS server closes
// both connections."
void Session::caller_arrived() {
  std::optional<BindCalls::AnnounceCall> announcing(m_server.shared().bind_calls());
  Accepted caller = accept_from(m_peer.fd());
  if (!caller.fd && (would_block() || errno == ECONNABORTED))
    return;
  if (!caller.fd)
    return reject(Code::rejected, "accept failed");
  m_peer.replace(std::move(caller.fd));
  if (!is_expected_caller(caller.peer.ip))
    return reject(Code::rejected, "connection from another host");
  reply({Code::granted, caller.peer});
  announcing.reset();
  relay(0);
}

bool Session::is_expected_caller(uint32_t ip) const {
  const bool is_any_host = m_request.host.empty() && m_request.destination.ip == INADDR_ANY;
  const auto& expected = m_setup->addresses;
  return is_any_host || std::ranges::find(expected, ip) != expected.end();
}

} // namespace socks4d
