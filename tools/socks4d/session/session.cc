// SPDX-License-Identifier: MIT
#include "socks4d/session/session.h"
#include "socks4d/server.h"
#include <sys/socket.h>

namespace socks4d {

using socks4::Code;
using socks4::Command;
using socks4::Progress;

Session::Session(Server& server, Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy)
    : m_server(server), m_origin(client.peer), m_client(server.loop(), std::move(client.fd)),
      m_peer(server.loop(), std::move(outgoing)), m_setup(std::make_unique<Setup>(server.loop())) {
  m_setup->policy = std::move(policy);
  m_setup->timer.set(m_setup->policy->request_timeout, step<&Session::time_out>());
  m_client.expect(Relay::watched_events, [this](uint32_t events) { run([this, events] { client_ready(events); }); });
}

// The client's events are those of the relay from the start, so that one epoll_ctl(2) per connection is enough. A FIN
// does not end the session: the client may close its half before our reply. A reset does.
void Session::client_ready(uint32_t events) {
  m_client_events |= events;
  if (events & (EPOLLERR | EPOLLHUP))
    return client_left();
  if (!m_has_request && events & (EPOLLIN | EPOLLRDHUP))
    receive_request();
}

void Session::receive_request() {
  const auto parsed = m_reader.receive(m_client.fd());
  m_request = parsed.request;
  m_has_request = parsed.progress == Progress::complete;
  if (m_has_request)
    set_up();
  else if (parsed.progress == Progress::malformed)
    reject(Code::rejected, parsed.mistake);
}

void Session::relay(uint32_t peer_events) {
  m_stage = Stage::relaying;
  m_setup.reset();
  Counters& counters = m_server.shared().counters();
  ++(m_request.command == Command::connect ? counters.connects : counters.binds);
  m_relay.emplace(m_client, m_peer, Parties{m_origin.ip, m_request.destination.ip}, m_server.relay_resources());
  m_client.expect(Relay::watched_events,
                  [this](uint32_t events) { run([this, events] { relayed(m_relay->client_ready(events)); }); });
  m_peer.expect(Relay::watched_events,
                [this](uint32_t events) { run([this, events] { relayed(m_relay->server_ready(events)); }); });
  relayed(m_relay->begin(m_client_events | EPOLLIN | EPOLLOUT, peer_events));
}

void Session::relayed(bool is_finished) {
  if (is_finished)
    end();
}

// "The SOCKS server closes its connection immediately after notifying the client of a failed or rejected request." The
// client sees the FIN. The socket stays open for a while: if the client is still sending, close(2) would send an RST,
// and the client's kernel might then drop the reply.
void Session::reject(Code code, const char* reason) {
  m_stage = Stage::rejected;
  m_reason = reason;
  m_setup->ident_query.reset(); // a late answer must not continue a refused request
  m_setup->name_query.reset();
  m_peer.close();
  m_setup->timer.set(m_server.shared().options().farewell_limit, step<&Session::end>());
  m_client.expect(EPOLLIN, step<&Session::drain>());
  reply({code, {}});
  m_refusal = code;
  ++m_server.shared().counters().rejected;
  check("shutdown", ::shutdown(m_client.fd(), SHUT_WR));
}

void Session::time_out() { reject(Code::rejected, "timed out"); }

void Session::client_left() {
  m_reason = "client left";
  end();
}

void Session::drain() {
  constexpr size_t most = 1 << 20;
  // MSG_TRUNC makes TCP discard the bytes without copying them.
  const ssize_t result = ::recv(m_client.fd(), nullptr, most, MSG_TRUNC);
  if (result == 0 || (result < 0 && !would_block()))
    end();
}

// A session sends at most two replies before the relay: an empty send buffer takes them in one call each.
void Session::reply(socks4::Reply reply) {
  const auto bytes = encode(reply);
  const ssize_t sent = check("send", ::send(m_client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  if (sent == ssize_t{bytes.size()})
    return;
  m_stage = Stage::rejected; // no other reply can follow a partial one
  throw Failure("send", ENOBUFS);
}

// A client that waits for a reply gets one, if it is still connected.
void Session::give_up() {
  if (m_stage != Stage::setting_up)
    return end();
  try {
    reject(Code::rejected, m_has_request ? "server error" : "no request");
  } catch (const std::exception&) {
    client_left();
  }
}

void Session::destroy() {
  record();
  m_server.remove(m_self);
}

// The session still gets its line in the log.
void Session::cut_off() {
  if (m_stage == Stage::setting_up)
    m_reason = "server stopped";
  record();
}

} // namespace socks4d
