// SPDX-License-Identifier: MIT
// What every request goes through before CONNECT or BIND: the policy, IDENT, and the addresses of a name.
#include "socks4d/server.h"
#include "socks4d/session/session.h"

namespace socks4d {

using socks4::Code;
using socks4::Command;

namespace {

constexpr const char* not_allowed = "not allowed";

} // namespace

// "The server sets a time limit (2 minutes in current CSTC implementation) for the establishment of its connection with
// the application server."
void Session::set_up() {
  const Policy& policy = *m_setup->policy;
  const auto limit = m_request.command == Command::connect ? policy.connect_timeout : policy.bind_timeout;
  m_setup->deadline = Loop::Clock::now() + limit;
  m_setup->timer.set(limit, step<&Session::time_out>());
  if (m_request.host.empty() && !may_reach(m_request.destination.ip))
    return reject(Code::rejected, not_allowed);
  if (policy.requires_ident)
    identify();
  else
    resolve();
}

void Session::identify() {
  if (m_origin == unix_peer)
    return identified(identify_unix_peer(m_client.fd(), m_request.userid));
  m_setup->ident_query = std::make_unique<IdentQuery>(
      m_server.loop(), m_origin, local_endpoint(m_client.fd()), m_server.shared().options().ident_port,
      m_request.userid, m_setup->policy->ident_timeout,
      [this](IdentAnswer answer) { run([this, answer] { identified(answer); }); });
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
  m_setup->name_query = m_server.resolver().start(std::string(m_request.host), [this](const Addresses& addresses) {
    run([this, &addresses] { resolved(addresses); });
  });
}

// Rules apply to addresses, so that no name gets around them. 0.0.0.0 is never accepted as the address of a name: a
// BIND would take it for any host.
void Session::resolved(const Addresses& addresses) {
  const bool is_name = !m_request.host.empty();
  bool any_denied = false;
  for (const uint32_t ip : addresses) {
    if (is_name && ip == INADDR_ANY)
      continue;
    if (may_reach(ip))
      m_setup->addresses.push_back(ip);
    else
      any_denied = true;
  }
  if (m_setup->addresses.empty())
    return reject(Code::rejected, any_denied ? not_allowed : "no address for this name");
  m_request.destination.ip = m_setup->addresses.front();
  if (m_request.command == Command::connect)
    connect_to_next();
  else
    bind();
}

// Whether the client is local costs a system call, and matters only for these two kinds of addresses.
bool Session::may_reach(uint32_t ip) const {
  const bool may_be_special = ip == INADDR_ANY || ip >> 24 == IN_LOOPBACKNET;
  return m_setup->policy->allows({.command = m_request.command,
                                  .client = m_origin.ip,
                                  .is_local_client = may_be_special && is_own_address(m_origin.ip),
                                  .destination = {ip, m_request.destination.port},
                                  .userid = m_request.userid});
}

} // namespace socks4d
