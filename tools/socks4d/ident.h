// SPDX-License-Identifier: MIT
// Who is it? The identd of a client's host is asked whose the connection is (RFC 1413), and whether that is the userid
// of the request. SOCKS has a reply for either way that this fails: 92, no identd to be reached, and 93, another user.
#pragma once
#include "base/address.h"
#include "socks4d/loop.h"
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace socksify {

enum class IdentAnswer { same_user, other_user, none };

// `line` is identd's reply without its end of line, the ports are those of the connection at either end.
IdentAnswer parse_ident(std::string_view line, uint16_t client_port, uint16_t our_port, std::string_view userid);

// On a Unix socket the kernel itself says who the peer is. It has no name that this host knows: none.
IdentAnswer ask_kernel(int fd, std::string_view userid);

class IdentQuery {
public:
  using OnAnswer = std::function<void(IdentAnswer answer)>;

  // Asks about the connection client -> ours. on_answer is called once, from the loop, after `limit` at the latest;
  // it may end the query, which cancels it. The port of identd is 113, but in tests.
  IdentQuery(Loop& loop, Endpoint client, Endpoint ours, uint16_t identd_port, std::string_view userid,
             std::chrono::milliseconds limit, OnAnswer on_answer);

private:
  using Outcome = std::optional<IdentAnswer>; // nothing yet

  bool connect(Endpoint identd);
  Outcome ask();
  Outcome receive();
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

} // namespace socksify
