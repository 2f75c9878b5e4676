// SPDX-License-Identifier: MIT
#include "session.h"
#include "check.h"
#include "server.h"
#include "sockets.h"
#include <array>
#include <sys/socket.h>

namespace socksify {

using socks4::Code;
using socks4::Command;
using socks4::Progress;

// A step that fails ends this session and no other. After the last one the session is gone.
template <typename Step> void Session::attempt(Step step) {
  try {
    step();
  } catch (const std::exception&) {
    give_up();
  }
  if (m_stage == Stage::over)
    m_server.ended(*this);
}

template <auto Step> auto Session::step() {
  return [this](auto...) { attempt([this] { (this->*Step)(); }); };
}

Session::Session(Server& server, Fd client, Fd outgoing)
    : m_server(server), m_client(server.loop(), std::move(client)), m_peer(server.loop(), std::move(outgoing)),
      m_timer(server.loop()) {
  m_timer.set(server.options().request_limit, step<&Session::reject>());
  m_client.expect(EPOLLIN, step<&Session::receive_request>());
}

void Session::receive_request() {
  const auto parsed = m_request.receive(m_client.fd());
  if (parsed.progress == Progress::complete)
    carry_out(parsed.request);
  else if (parsed.progress == Progress::malformed)
    reject();
}

void Session::carry_out(const socks4::Request& request) {
  if (!request.host.empty())
    return reject();
  m_destination = request.destination;
  m_timer.set(m_server.options().establishment_limit, step<&Session::reject>());
  if (request.command == Command::connect)
    connect();
  else
    bind();
}

// The kernel takes 0.0.0.0 for this host, which is not what was asked for.
void Session::connect() {
  if (m_destination.ip == INADDR_ANY || m_server.is_own(m_destination) ||
      !start_connect(m_peer.fd(), m_server.options().bind_address, m_destination))
    return reject();
  // A reset only: a client may have sent all that it has to say, and closed its half, before our reply.
  m_client.expect(0, step<&Session::end>());
  m_peer.expect(EPOLLOUT, step<&Session::connected>());
}

void Session::connected() {
  if (connect_result(m_peer.fd()) != 0)
    return reject();
  const Endpoint local = local_endpoint(m_peer.fd());
  // To a free port of this host, the kernel may choose that very port to connect from: a socket that has
  // connected to itself, where a refusal was due.
  if (local == m_destination)
    return reject();
  reply({Code::granted, local});
  relay();
}

// "The SOCKS server obtains a socket to wait for an incoming connection and sends the port number and the IP
// address of that socket to the client." Without --bind-address it listens on the address that leads to the
// application server, which is also the one that the primary connection came from: FTP servers compare the
// two, and an address 0 would have the client fill in one that the application server may not reach.
void Session::bind() {
  uint32_t ip = m_server.options().bind_address;
  if (ip == INADDR_ANY && m_destination.ip != INADDR_ANY) {
    ip = source_towards(m_destination.ip);
    if (ip == INADDR_ANY)
      return reject();
  }
  listen_at(m_peer.fd(), {ip, 0}, 0);
  Endpoint local = local_endpoint(m_peer.fd());
  if (local.ip == INADDR_ANY)
    local.ip = local_endpoint(m_client.fd()).ip; // what the client is to take for 0
  reply({Code::granted, local});
  m_client.expect(EPOLLRDHUP, step<&Session::end>());
  m_peer.expect(EPOLLIN, step<&Session::caller_arrived>());
}

// One connection is accepted, whoever it is from. "The SOCKS server checks the IP address of the originating
// host against the value of DSTIP. If a mismatch is found, the CD field in the second reply is set to 91 and
// the SOCKS server closes both connections."
void Session::caller_arrived() {
  Accepted caller = accept_from(m_peer.fd());
  if (!caller.fd && (would_block() || errno == ECONNABORTED))
    return;
  if (!caller.fd)
    return reject();
  m_peer.replace(std::move(caller.fd));
  if (m_destination.ip != INADDR_ANY && caller.peer.ip != m_destination.ip)
    return reject();
  reply({Code::granted, caller.peer});
  relay();
}

void Session::relay() {
  m_stage = Stage::relaying;
  m_timer.cancel();
  m_relay.emplace(m_client, m_peer, m_server.pipes());
  m_client.expect(Relay::events,
                  [this](uint32_t events) { attempt([this, events] { relayed(m_relay->client_ready(events)); }); });
  m_peer.expect(Relay::events,
                [this](uint32_t events) { attempt([this, events] { relayed(m_relay->server_ready(events)); }); });
}

void Session::relayed(bool finished) {
  if (finished)
    end();
}

// "The SOCKS server closes its connection immediately after notifying the client of a failed or rejected
// request." The client sees that by the FIN. The socket stays for a while, because closing it while the
// client still sends would answer with RST, and a client's kernel may throw the reply away for that.
void Session::reject() {
  m_stage = Stage::rejected;
  m_peer.close();
  m_timer.set(m_server.options().farewell_limit, step<&Session::end>());
  m_client.expect(EPOLLIN, step<&Session::drain>());
  reply({Code::rejected, {}});
  check("shutdown", ::shutdown(m_client.fd(), SHUT_WR));
}

void Session::drain() {
  constexpr size_t most = 1 << 20;
  // TCP discards what it counts by MSG_TRUNC, without a copy.
  const ssize_t result = ::recv(m_client.fd(), nullptr, most, MSG_TRUNC);
  if (result == 0 || (result < 0 && !would_block()))
    end();
}

// Two replies are all that is ever sent here: an empty send buffer takes them whole.
void Session::reply(socks4::Reply reply) {
  const auto bytes = encode(reply);
  const ssize_t sent = check("send", ::send(m_client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  if (sent != ssize_t{bytes.size()})
    throw Failure("send", ENOBUFS);
}

// A client that waits for a reply gets one.
void Session::give_up() {
  if (m_stage != Stage::establishing)
    return end();
  try {
    reject();
  } catch (const std::exception&) {
    end();
  }
}

} // namespace socksify
