// SPDX-License-Identifier: MIT
// One client, from its request to the end of its relay. A session never blocks: each step ends by saying what it
// expects next from its two connections and its timer.
//
//   session.cc          from accept(2) to the request, the relay, refusals, the end
//   session_setup.cc    the policy, IDENT, the name
//   session_connect.cc  CONNECT
//   session_bind.cc     BIND
#pragma once
#include "socks4d/net/loop.h"
#include "socks4d/net/tcp.h"
#include "socks4d/policy/policy.h"
#include "socks4d/relay/relay.h"
#include "socks4d/session/bind_calls.h"
#include "socks4d/session/ident.h"
#include "socks4d/session/request_reader.h"
#include "socks4d/session/resolver.h"
#include <exception>
#include <list>
#include <memory>
#include <optional>

namespace socks4d {

class Server;

class Session {
public:
  // `outgoing` is a fresh socket for the connection with the application server.
  Session(Server& server, Accepted client, Fd outgoing, std::shared_ptr<const Policy> policy);
  void set_position(std::list<Session>::iterator self) { m_self = self; }
  void cut_off(); // the server stops; nothing else may be called afterwards

private:
  void client_ready(uint32_t events);
  void receive_request();

  void set_up();
  void identify();
  void identified(IdentAnswer answer);
  void resolve();
  void resolved(const Addresses& addresses);
  bool may_reach(uint32_t ip) const;

  void connect_to_next();
  bool start_next_connect();
  void connect_timed_out();
  void connected(uint32_t events);

  void bind();
  bool choose_bind_address(uint32_t& ip);
  Endpoint advertised_endpoint() const;
  void caller_arrived();
  bool is_expected_caller(uint32_t ip) const;

  void relay(uint32_t peer_events);
  void relayed(bool is_finished);

  void reject(socks4::Code code, const char* reason);
  void time_out();
  void drain();
  void client_left();
  void end() { m_stage = Stage::ended; }

  void reply(socks4::Reply reply);
  void give_up();
  void record();
  std::string log_line(uint64_t up, uint64_t down) const;

  // If a step fails, only this session ends. After its last step the session no longer exists.
  template <typename Step> void run(Step step) {
    try {
      step();
    } catch (const std::exception&) {
      give_up();
    }
    if (m_stage == Stage::ended)
      destroy();
  }
  template <auto Step> auto step() {
    return [this](auto...) { run([this] { (this->*Step)(); }); };
  }
  void destroy();

  enum class Stage : uint8_t { setting_up, relaying, rejected, ended };
  // Needed until the connection is established. Thousands of relaying sessions do without it.
  struct Setup {
    explicit Setup(Loop& loop) : timer(loop) {}
    std::shared_ptr<const Policy> policy;
    std::unique_ptr<IdentQuery> ident_query;
    std::unique_ptr<Resolver::Query> name_query;
    Addresses addresses; // of the destination: permitted, and not tried yet
    Loop::Clock::time_point deadline;
    Timer timer;
    std::optional<BindCalls::ExpectCall> expected_call; // for a BIND
  };

  Server& m_server;
  std::list<Session>::iterator m_self;
  const Endpoint m_origin; // the client's address
  const Loop::Clock::time_point m_began = Loop::Clock::now();
  const char* m_reason = "no request"; // for not being granted
  std::optional<socks4::Code> m_refusal;
  Stage m_stage = Stage::setting_up;
  bool m_has_request = false;
  uint32_t m_client_events = 0; // seen before the relay started
  Watch m_client;
  Watch m_peer; // the application server; for a BIND, the listening socket at first
  RequestReader m_reader;
  socks4::Request m_request; // views into m_reader; a name's destination gets the address that is being tried
  std::unique_ptr<Setup> m_setup;
  std::optional<Relay> m_relay;
};

} // namespace socks4d
