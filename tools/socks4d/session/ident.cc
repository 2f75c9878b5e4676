// SPDX-License-Identifier: MIT
#include "socks4d/session/ident.h"
#include "socks4d/net/tcp.h"
#include <array>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>

namespace socks4d {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

// "Clients should feel free to abort a connection if they receive 1000 characters without receiving an <EOL>."
constexpr size_t longest_reply = 1000;

std::string_view without_blanks(std::string_view text) {
  constexpr auto blanks = " \t"sv;
  const size_t first = text.find_first_not_of(blanks);
  return first == text.npos ? ""sv : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Removes the token before the next `separator`, and the separator, from `rest`. "White space may occur anywhere,
// except within a token."
std::optional<std::string_view> next_token(std::string_view& rest, char separator) {
  const size_t length = rest.find(separator);
  if (length == rest.npos)
    return std::nullopt;
  const auto token = without_blanks(rest.substr(0, length));
  rest.remove_prefix(length + 1);
  return token;
}

bool skip_port(std::string_view& rest, char separator, uint16_t expected) {
  const auto token = next_token(rest, separator);
  return token && parse_number(*token, 0, 65535) == expected;
}

} // namespace

// "Everything after the colon after the operating system type until the terminating CR/LF is taken as part of the user
// ID." But nearly every identd writes ": ", as do all examples in the RFC, so one blank is dropped. The operating
// system, even OTHER, does not matter: the user ID must equal the userid octet by octet.
IdentAnswer parse_ident(std::string_view line, uint16_t client_port, uint16_t our_port, std::string_view userid) {
  if (!skip_port(line, ',', client_port) || !skip_port(line, ':', our_port) || next_token(line, ':') != "USERID"sv)
    return IdentAnswer::none;
  const auto system = next_token(line, ':');
  if (line.starts_with(' '))
    line.remove_prefix(1);
  const bool is_user_id = !line.empty() && line.find_first_of("\0\r\n"sv) == line.npos;
  if (!system || system->empty() || !is_user_id)
    return IdentAnswer::none;
  return line == userid ? IdentAnswer::same_user : IdentAnswer::other_user;
}

IdentAnswer identify_unix_peer(int fd, std::string_view userid) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return IdentAnswer::none;
  std::array<char, 4096> strings;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(peer.uid, &entry, strings.data(), strings.size(), &found) != 0 || !found)
    return IdentAnswer::none;
  return userid == found->pw_name ? IdentAnswer::same_user : IdentAnswer::other_user;
}

// A failing step ends only this query. finish() is outside the try block: the owner's callback may throw.
template <auto Step> auto IdentQuery::step() {
  return [this](uint32_t) {
    Outcome outcome;
    try {
      outcome = (this->*Step)();
    } catch (const std::exception&) {
      outcome = IdentAnswer::none;
    }
    if (outcome)
      finish(*outcome);
  };
}

// If identd cannot be reached at all, the answer still comes from the loop.
IdentQuery::IdentQuery(Loop& loop, Endpoint client, Endpoint ours, uint16_t identd_port, std::string_view userid,
                       std::chrono::milliseconds limit, OnAnswer on_answer)
    : m_client(client), m_ours(ours), m_userid(userid), m_on_answer(std::move(on_answer)), m_identd(loop),
      m_limit(loop) {
  const bool is_under_way = connect({client.ip, identd_port});
  m_limit.set(is_under_way ? limit : 0ms, [this] { finish(IdentAnswer::none); });
}

// identd looks the connection up by the two ports in the query and by the two addresses of the query's own connection.
// So the query must go between the same two addresses as the client's connection.
bool IdentQuery::connect(Endpoint identd) try {
  m_identd.replace(make_socket());
  if (!start_connect(m_identd.fd(), m_ours.ip, identd))
    return false;
  m_identd.expect(EPOLLOUT, step<&IdentQuery::send_query>());
  return true;
} catch (const std::exception&) {
  return false;
}

// The port on identd's host comes first. An empty send buffer takes these few octets in one call.
IdentQuery::Outcome IdentQuery::send_query() {
  if (connect_result(m_identd.fd()) != 0)
    return IdentAnswer::none;
  const auto query = fmt::format("{} , {}\r\n", m_client.port, m_ours.port);
  if (::send(m_identd.fd(), query.data(), query.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(query.size()))
    return IdentAnswer::none;
  m_identd.expect(EPOLLIN, step<&IdentQuery::receive_reply>());
  return std::nullopt;
}

// The reply must end with LF or CRLF: if the connection ends first, the user ID may be cut short.
IdentQuery::Outcome IdentQuery::receive_reply() {
  std::array<char, longest_reply> octets;
  const ssize_t count = ::recv(m_identd.fd(), octets.data(), longest_reply - m_received.size(), 0);
  if (count < 0 && would_block())
    return std::nullopt;
  if (count <= 0)
    return IdentAnswer::none;
  m_received.append(octets.data(), static_cast<size_t>(count));
  const size_t end = m_received.find('\n');
  if (end == m_received.npos)
    return m_received.size() < longest_reply ? Outcome() : IdentAnswer::none;
  auto line = std::string_view(m_received).substr(0, end);
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return parse_ident(line, m_client.port, m_ours.port, m_userid);
}

// on_answer may destroy this query, so it is called last, from a local copy.
void IdentQuery::finish(IdentAnswer answer) {
  m_identd.close();
  m_limit.cancel();
  const OnAnswer on_answer = std::move(m_on_answer);
  on_answer(answer);
}

} // namespace socks4d
