// SPDX-License-Identifier: MIT
// One client, from its request to the end of its relay. What a session waits for is said by what it expects
// of its two connections and of its timer; every step below ends by saying that anew.
#pragma once
#include "socks4d/bind_calls.h"
#include "socks4d/ident.h"
#include "socks4d/loop.h"
#include "socks4d/policy.h"
#include "socks4d/relay.h"
#include "socks4d/request_reader.h"
#include "socks4d/resolver.h"
#include "socks4d/tcp.h"
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace socksify {

class Server;

class Session {
public:
  // `outgoing` is a fresh socket, for the connection with the application server.
  Session(Server& server, Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy);
  void keep(std::list<Session>::iterator self) { m_self = self; }
  void cut_off(); // REQUIRES: the last thing that is asked of it

private:
  void client_ready(uint32_t events);
  void receive_request();
  void carry_out();
  void identify();
  void identified(IdentAnswer answer);
  void resolve();
  void resolved(const std::vector<uint32_t>& addresses);

  void connect_to_next();
  void connect_timed_out();
  void connected(uint32_t events);

  void bind();
  void caller_arrived();

  void relay(uint32_t peer_events);
  void relayed(bool finished);

  void reject(socks4::Code code, const char* why);
  void time_out();
  void drain();
  void leave();
  void end() { m_stage = Stage::over; }

  bool may_reach(uint32_t ip) const;
  void reply(socks4::Reply reply);
  void give_up();
  void record();
  void ended();

  // A step that fails ends this session and no other. After the last one the session is gone.
  template <typename Step> void attempt(Step step) {
    try {
      step();
    } catch (const std::exception&) {
      give_up();
    }
    if (m_stage == Stage::over)
      ended();
  }
  template <auto Step> auto step() {
    return [this](auto...) { attempt([this] { (this->*Step)(); }); };
  }

  enum class Stage : uint8_t { establishing, relaying, rejected, over };
  // What is needed until there is a connection, and not by the thousands that relay.
  struct Establishing {
    explicit Establishing(Loop& loop) : timer(loop) {}
    std::shared_ptr<const Policy> policy;
    std::unique_ptr<IdentQuery> ident;
    std::unique_ptr<Resolver::Question> question;
    std::vector<uint32_t> addresses; // of the destination: those that are left to try, and may be
    Loop::Clock::time_point limit;
    Timer timer;
    std::optional<Calls::Expected> call; // of a BIND
  };

  Server& m_server;
  std::list<Session>::iterator m_self;
  const Endpoint m_origin; // the client's address
  const Loop::Clock::time_point m_began = Loop::Clock::now();
  const char* m_why = "no request"; // it was not granted
  std::optional<socks4::Code> m_refusal;
  Stage m_stage = Stage::establishing;
  bool m_is_read = false;       // the request
  uint32_t m_client_events = 0; // all until there is a relay
  Watch m_client;
  Watch m_peer; // the application server; for BIND at first the listening socket
  RequestReader m_reader;
  socks4::Request m_request; // views into the reader; the destination's address may be what its name stands for
  std::unique_ptr<Establishing> m_establishing;
  std::optional<Relay> m_relay;
};

} // namespace socksify
