// SPDX-License-Identifier: MIT
// Checks the userid of a request: asks identd on the client's host who owns the connection (RFC 1413). SOCKS has a
// reply for each way this can fail: 92 if identd gives no answer, 93 if it names another user.
#pragma once
#include "socks4d/net/loop.h"
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace socks4d {

enum class IdentAnswer { same_user, other_user, none };

// `line` is identd's reply without the line end. The ports are those of both ends of the client's connection.
IdentAnswer parse_ident(std::string_view line, uint16_t client_port, uint16_t our_port, std::string_view userid);

// On a Unix socket the kernel knows the peer. `none` if this host has no name for that user id.
IdentAnswer identify_unix_peer(int fd, std::string_view userid);

class IdentQuery {
public:
  using OnAnswer = std::function<void(IdentAnswer answer)>;

  // Asks about the connection from `client` to `ours`. The loop calls on_answer once, after `limit` at the latest.
  // on_answer may destroy the query; destroying it earlier cancels it. identd_port is 113 except in tests.
  IdentQuery(Loop& loop, Endpoint client, Endpoint ours, uint16_t identd_port, std::string_view userid,
             std::chrono::milliseconds limit, OnAnswer on_answer);

private:
  using Outcome = std::optional<IdentAnswer>; // empty: no answer yet

  bool connect(Endpoint identd);
  Outcome send_query();
  Outcome receive_reply();
  template <auto Step> auto step();
  void finish(IdentAnswer answer);

  const Endpoint m_client;
  const Endpoint m_ours;
  const std::string m_userid;
  OnAnswer m_on_answer;
  Watch m_identd;
  Timer m_limit;
  std::string m_received;
};

} // namespace socks4d
