// SPDX-License-Identifier: MIT
// One client, from its request to the end of its relay. What a session waits for is said by what it expects
// of its two connections and of its timer; every step below ends by saying that anew.
#pragma once
#include "loop.h"
#include "relay.h"
#include "request_reader.h"
#include <optional>

namespace socksify {

class Server;

class Session {
public:
  // `outgoing` is a fresh socket, for the connection with the application server.
  Session(Server& server, Fd client, Fd outgoing);

private:
  void receive_request();
  void carry_out(const socks4::Request& request);

  void connect();
  void connected();

  void bind();
  void caller_arrived();

  void relay();
  void relayed(bool finished);

  void reject();
  void drain();
  void end() { m_stage = Stage::over; }

  void reply(socks4::Reply reply);
  void give_up();
  template <typename Step> void attempt(Step step);
  template <auto Step> auto step();

  enum class Stage { establishing, relaying, rejected, over };

  Server& m_server;
  Stage m_stage = Stage::establishing;
  Watch m_client;
  Watch m_peer; // the application server; for BIND at first the listening socket
  Timer m_timer;
  RequestReader m_request;
  Endpoint m_destination; // DSTIP and DSTPORT of the request
  std::optional<Relay> m_relay;
};

} // namespace socksify
