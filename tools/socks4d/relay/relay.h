// SPDX-License-Identifier: MIT
// The relay between a client and its application server: "from then on the client does I/O on its connection to the
// SOCKS server as if it were directly connected". So it passes on bytes, the end of each stream, urgent bytes and
// resets.
#pragma once
#include "socks4d/relay/direction.h"

namespace socks4d {

class Relay {
public:
  static constexpr uint32_t watched_events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;

  Relay(Watch& client, Watch& server, Parties parties, RelayResources& resources);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // These three return true when the relay has finished, and throw Failure if it cannot go on. begin() takes the
  // events that were reported before the relay existed.
  bool begin(uint32_t client_events, uint32_t server_events);
  bool client_ready(uint32_t events) { return ready(m_client, events); }
  bool server_ready(uint32_t events) { return ready(m_server, events); }

  uint64_t bytes_up() const { return m_upward.bytes(); }
  uint64_t bytes_down() const { return m_downward.bytes(); }

private:
  bool ready(Side& side, uint32_t events);
  bool is_finished() const { return m_client.ended && m_server.ended; }

  Side m_client;
  Side m_server;
  Direction m_upward;   // client to server
  Direction m_downward; // server to client
};

} // namespace socks4d
