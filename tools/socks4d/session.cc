// SPDX-License-Identifier: MIT
#include "socks4d/session.h"
#include "common/system_call.h"
#include "socks4d/server.h"
#include <fmt/format.h>
#include <sys/socket.h>

namespace socksify {

using socks4::Code;
using socks4::Command;
using socks4::Progress;

namespace {

constexpr const char* not_allowed = "not allowed";

} // namespace

void Session::ended() {
  record();
  m_server.ended(m_self);
}

Session::Session(Server& server, Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy)
    : m_server(server), m_origin(client.peer), m_client(server.loop(), std::move(client.fd)),
      m_peer(server.loop(), std::move(outgoing)), m_establishing(std::make_unique<Establishing>(server.loop())) {
  m_establishing->policy = std::move(policy);
  m_establishing->timer.set(m_establishing->policy->request_timeout, step<&Session::time_out>());
  m_client.expect(Relay::events, [this](uint32_t events) { attempt([this, events] { client_ready(events); }); });
}

// All that is expected is what the relay will, too, so that epoll_ctl(2) is called once for a connection.
void Session::client_ready(uint32_t events) {
  m_client_events |= events;
  // A reset only: a client may have sent all that it has to say, and closed its half, before our reply.
  if (events & (EPOLLERR | EPOLLHUP))
    return leave();
  if (!m_is_read && events & (EPOLLIN | EPOLLRDHUP))
    receive_request();
}

void Session::receive_request() {
  const auto parsed = m_reader.receive(m_client.fd());
  m_request = parsed.request;
  m_is_read = parsed.progress == Progress::complete;
  if (m_is_read)
    carry_out();
  else if (parsed.progress == Progress::malformed)
    reject(Code::rejected, parsed.mistake);
}

// "The server sets a time limit (2 minutes in current CSTC implementation) for the establishment of its
// connection with the application server."
void Session::carry_out() {
  const Policy& policy = *m_establishing->policy;
  const auto limit = m_request.command == Command::connect ? policy.connect_timeout : policy.bind_timeout;
  m_establishing->limit = Loop::Clock::now() + limit;
  m_establishing->timer.set(limit, step<&Session::time_out>());
  if (m_request.host.empty() && !may_reach(m_request.destination.ip))
    return reject(Code::rejected, not_allowed);
  if (policy.requires_ident)
    identify();
  else
    resolve();
}

void Session::identify() {
  if (m_origin == unix_peer)
    return identified(ask_kernel(m_client.fd(), m_request.userid));
  m_establishing->ident = std::make_unique<IdentQuery>(
      m_server.loop(), m_origin, local_endpoint(m_client.fd()), m_server.site().options().ident_port, m_request.userid,
      m_establishing->policy->ident_timeout,
      [this](IdentAnswer answer) { attempt([this, answer] { identified(answer); }); });
}

void Session::identified(IdentAnswer answer) {
  switch (answer) {
  case IdentAnswer::none:
    return reject(Code::no_identd, "no answer from identd");
  case IdentAnswer::other_user:
    return reject(Code::userid_mismatch, "identd names another user");
  case IdentAnswer::same_user:
    return resolve();
  }
}

void Session::resolve() {
  if (m_request.host.empty())
    return resolved({m_request.destination.ip});
  m_establishing->question =
      m_server.resolver().ask(std::string(m_request.host), [this](const std::vector<uint32_t>& addresses) {
        attempt([this, &addresses] { resolved(addresses); });
      });
}

// The rules are for addresses, so that no name slips past them. 0.0.0.0, which in a BIND is anybody, is not the address
// of a name.
void Session::resolved(const std::vector<uint32_t>& addresses) {
  const bool is_name = !m_request.host.empty();
  bool any_denied = false;
  for (const uint32_t ip : addresses) {
    if (is_name && ip == INADDR_ANY)
      continue;
    if (may_reach(ip))
      m_establishing->addresses.push_back(ip);
    else
      any_denied = true;
  }
  if (m_establishing->addresses.empty())
    return reject(Code::rejected, any_denied ? not_allowed : "no address for this name");
  m_request.destination.ip = m_establishing->addresses.front();
  if (m_request.command == Command::connect)
    connect_to_next();
  else
    bind();
}

bool Session::may_reach(uint32_t ip) const {
  const bool may_be_special = ip == INADDR_ANY || ip >> 24 == IN_LOOPBACKNET;
  return m_establishing->policy->allows({.command = m_request.command,
                                         .client = m_origin.ip,
                                         .is_local_client = may_be_special && is_own_address(m_origin.ip),
                                         .destination = {ip, m_request.destination.port},
                                         .userid = m_request.userid});
}

void Session::relay(uint32_t peer_events) {
  m_stage = Stage::relaying;
  m_establishing.reset();
  Counters& counters = m_server.site().counters();
  ++(m_request.command == Command::connect ? counters.connects : counters.binds);
  m_relay.emplace(m_client, m_peer, Parties{m_origin.ip, m_request.destination.ip}, m_server.relay_means());
  m_client.expect(Relay::events,
                  [this](uint32_t events) { attempt([this, events] { relayed(m_relay->client_ready(events)); }); });
  m_peer.expect(Relay::events,
                [this](uint32_t events) { attempt([this, events] { relayed(m_relay->server_ready(events)); }); });
  relayed(m_relay->begin(m_client_events | EPOLLIN | EPOLLOUT, peer_events));
}

void Session::relayed(bool finished) {
  if (finished)
    end();
}

// "The SOCKS server closes its connection immediately after notifying the client of a failed or rejected
// request." The client sees that by the FIN. The socket stays for a while, because closing it while the
// client still sends would answer with RST, and a client's kernel may throw the reply away for that.
void Session::reject(Code code, const char* why) {
  m_stage = Stage::rejected;
  m_why = why;
  m_establishing->ident.reset(); // an answer now would carry on with what is refused
  m_establishing->question.reset();
  m_peer.close();
  m_establishing->timer.set(m_server.site().options().farewell_limit, step<&Session::end>());
  m_client.expect(EPOLLIN, step<&Session::drain>());
  reply({code, {}});
  m_refusal = code;
  ++m_server.site().counters().rejected;
  check("shutdown", ::shutdown(m_client.fd(), SHUT_WR));
}

void Session::time_out() { reject(Code::rejected, "time limit"); }

// The client has reset its connection.
void Session::leave() {
  m_why = "the client left";
  end();
}

// The server ends before the session does, which has its line in the log all the same.
void Session::cut_off() {
  if (m_stage == Stage::establishing)
    m_why = "the server ended";
  record();
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
  if (sent == ssize_t{bytes.size()})
    return;
  m_stage = Stage::rejected; // with a part of a reply said, there is nothing more to say
  throw Failure("send", ENOBUFS);
}

// A client that waits for a reply gets one, if it is still there.
void Session::give_up() {
  if (m_stage != Stage::establishing)
    return end();
  try {
    reject(Code::rejected, m_is_read ? "failed" : "no request");
  } catch (const std::exception&) {
    leave();
  }
}

// The line of the log, and the counters. What clients send comes in quotes.
void Session::record() {
  Site& site = m_server.site();
  const uint64_t up = m_relay ? m_relay->bytes_up() : 0, down = m_relay ? m_relay->bytes_down() : 0;
  site.counters().bytes_up += up;
  site.counters().bytes_down += down;
  if (!site.journal().is_kept())
    return;
  try {
    const std::chrono::duration<double> lasted = Loop::Clock::now() - m_began;
    std::string line =
        fmt::format("time={} client={}", timestamp(), m_origin == unix_peer ? "unix" : to_text(m_origin).view());
    if (m_is_read)
      line += fmt::format(" user={} command={} destination={}", quoted(m_request.userid),
                          m_request.command == Command::connect ? "connect" : "bind",
                          to_text(m_request.destination).view());
    if (m_is_read && !m_request.host.empty())
      line += fmt::format(" name={}", quoted(m_request.host));
    line += fmt::format(" result={}", m_relay || m_refusal ? name_of(m_refusal.value_or(Code::granted)) : "none");
    if (!m_relay)
      line += fmt::format(" why={}", quoted(m_why));
    site.journal().write(line + fmt::format(" up={} down={} seconds={:.3f}\n", up, down, lasted.count()));
  } catch (const std::exception&) { // no memory for it
  }
}

} // namespace socksify
