// SPDX-License-Identifier: MIT
#include "socks4d/relay/relay.h"
#include "socks4d/net/tcp.h"

namespace socks4d {

Relay::Relay(Watch& client, Watch& server, Parties parties, RelayResources& resources)
    : m_client{client}, m_server{server}, m_upward(m_client, m_server, resources),
      m_downward(m_server, m_client, resources) {
  m_downward.wait_for_calls(parties);
}

// If the relay is cut off, for whatever reason, neither side may mistake what it got for the whole stream.
Relay::~Relay() {
  if (is_finished())
    return;
  reset_at_close(m_client.fd());
  reset_at_close(m_server.fd());
}

bool Relay::begin(uint32_t client_events, uint32_t server_events) {
  m_client.update(client_events);
  // The client may not be readable at all, and only splice(2) stops before an urgent byte that no event has reported.
  m_upward.expect_bulk();
  return ready(m_server, server_events);
}

bool Relay::ready(Side& side, uint32_t events) {
  side.update(events);
  m_upward.move();
  m_downward.move();
  // Not earlier: what arrived before the reset is still readable.
  if (m_client.failed || m_server.failed)
    throw Failure("relay", ECONNRESET);
  return is_finished();
}

} // namespace socks4d
