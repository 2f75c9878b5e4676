// SPDX-License-Identifier: MIT
#include "check/probe.h"
#include "base/socks4.h"
#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <netdb.h>
#include <optional>

namespace socksify {
namespace {

using namespace std::chrono_literals;
using socks4::Code;
using socks4::Command;
using socks4::Request;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds longest_limit = 15s; // identd may be asked, in vain
// A server that does not know SOCKS4A has all that it waits for, and answers, when the name is still to come.
constexpr auto limit_for_name = 1s;
constexpr std::string_view unknown_name = "socksify-check.invalid"; // RFC 2606: never resolves

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A socket that the server may connect to.
class OwnPort {
public:
  explicit OwnPort(uint32_t ip) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    SocketAddress address({ip, 0}, AF_INET);
    if (::bind(m_fd.get(), address.get(), address.length) != 0 || ::listen(m_fd.get(), 8) != 0 ||
        ::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
      return;
    m_endpoint = IpPort::from(address.get(), address.length)->endpoint();
  }
  Endpoint endpoint() const { return m_endpoint; }

private:
  Fd m_fd;
  Endpoint m_endpoint;
};

std::optional<socks4::Reply> reply_in(const Heard& heard) {
  if (heard.bytes.size() != socks4::reply_size)
    return std::nullopt;
  return socks4::parse_reply(
      std::span<const uint8_t, socks4::reply_size>(bytes_of(heard.bytes).data(), socks4::reply_size));
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(byte));
  return text;
}

// By its first bytes; empty if nothing is known of them.
std::string protocol_of(std::string_view bytes) {
  if (bytes.starts_with("HTTP/"))
    return "HTTP";
  if (bytes.starts_with("SSH-"))
    return "SSH";
  if (bytes.starts_with('\x05'))
    return "SOCKS5";
  if (bytes.starts_with("\x15\x03"))
    return "TLS";
  return "";
}

// SOCKSIFY_TIMEOUT, where that is less.
std::chrono::milliseconds limit_of_user() {
  const char* const text = std::getenv("SOCKSIFY_TIMEOUT");
  const auto seconds = parse_number(text ? text : "", 1, 86400);
  return seconds ? std::min<std::chrono::milliseconds>(std::chrono::seconds(*seconds), longest_limit) : longest_limit;
}

std::string ending(const Heard& heard) {
  switch (heard.end) {
  case End::closed:
    return "closes the connection";
  case End::reset:
    return "resets the connection";
  default:
    return fmt::format("says nothing for {} s", limit_of_user().count() / 1000);
  }
}

class Probe {
public:
  Probe(Report& report, const NamedServer& server) : m_report(report), m_server(server), m_userid(userid_for(server)) {}

  void run(Wishes wishes) {
    if (!find() || !reach() || !try_connect())
      return;
    try_name(wishes.names);
    if (wishes.bind)
      try_bind();
  }

private:
  void fail(const char* about, const std::string& text) {
    m_report.fail(about, fmt::format("{}: {}", m_server.text, text));
  }

  bool find() {
    m_place.path = m_server.path;
    m_place.endpoint.port = m_server.port;
    if (m_server.host.empty())
      return true;
    addrinfo hints{}, *list = nullptr;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    const int error = ::getaddrinfo(m_server.host.c_str(), nullptr, &hints, &list);
    if (error != 0) {
      fail("server", fmt::format("this host does not know its address: {}", ::gai_strerror(error)));
      return false;
    }
    m_place.endpoint.ip = IpPort::from(list->ai_addr, list->ai_addrlen)->ip.ipv4();
    ::freeaddrinfo(list);
    return true;
  }

  std::string where() const {
    const auto address = std::string(to_text(m_place.endpoint).view());
    return m_server.host.empty() || address == m_server.text ? m_server.text
                                                             : fmt::format("{} ({})", m_server.text, address);
  }

  bool reach() {
    Conversation conversation(m_limit);
    const auto began = Clock::now();
    const int error = conversation.connect(m_place);
    // Linux says "reset" only of a connection that there was (tcp_reset()): what that means is seen when it is asked.
    if (error != 0 && error != ECONNRESET) {
      m_report.fail("server", fmt::format("{}: {}", where(), std::strerror(error)));
      return false;
    }
    m_port.emplace(conversation.local().ip);
    m_report.ok("server", fmt::format("{}: reached in {:.1f} ms", where(),
                                      std::chrono::duration<double, std::milli>(Clock::now() - began).count()));
    return true;
  }

  // Asks once, on a connection of its own, which stays as long as the conversation does.
  Heard ask(Conversation& conversation, const Request& request) {
    std::array<uint8_t, socks4::max_request_size> bytes;
    if (conversation.connect(m_place) != 0)
      return {{}, End::reset, 0};
    conversation.say({bytes.data(), socks4::encode(request, bytes)});
    return conversation.hear();
  }

  Request request(Command command, Endpoint destination, std::string_view host = {}) const {
    return {command, destination, m_userid, host};
  }

  // Many servers have rules against one or the other destination. Who grants one shows most.
  bool try_connect() {
    std::optional<Code> code;
    for (const Endpoint target :
         {Endpoint{INADDR_LOOPBACK, m_place.endpoint.port}, m_place.endpoint, m_port->endpoint()}) {
      if (target.ip == 0 || target.port == 0)
        continue;
      Conversation conversation(m_limit);
      const auto heard = ask(conversation, request(Command::connect, target));
      const auto reply = reply_in(heard);
      if (!reply && !code)
        return diagnose(heard);
      if (!reply)
        continue;
      code = reply->code;
      if (reply->granted()) {
        m_granted = target;
        break;
      }
    }
    if (*code == Code::no_identd || *code == Code::userid_mismatch) {
      fail("socks4", fmt::format("speaks SOCKS4, but a CONNECT is {}", meaning_of(*code)));
      return false;
    }
    m_report.ok("socks4", fmt::format("{}: speaks SOCKS4: a CONNECT to {}", m_server.text,
                                      m_granted ? fmt::format("{} is granted", to_text(*m_granted).view())
                                                : std::string("itself or back to here is ") + meaning_of(*code) +
                                                      ", as by the rules of many servers"));
    return true;
  }

  // What else may be there. A SOCKS5 server does not reply to what begins with a 4, nor does a HTTP one before a line
  // ends.
  bool diagnose(const Heard& heard) {
    auto protocol = protocol_of(heard.bytes);
    if (protocol.empty() && answers(std::string_view("\5\1\0", 3)).starts_with('\5'))
      protocol = "SOCKS5";
    if (protocol.empty())
      protocol = protocol_of(answers("OPTIONS * HTTP/1.0\r\n\r\n"));
    if (!protocol.empty())
      fail("socks4", fmt::format("speaks {}, not SOCKS4", protocol));
    else if (heard.bytes.empty())
      fail("socks4",
           fmt::format("{} instead of replying: it does not speak SOCKS4, or does not serve this host", ending(heard)));
    else
      fail("socks4", fmt::format("does not speak SOCKS4: it replies {}", hexadecimal(heard.bytes)));
    return false;
  }

  std::string answers(std::string_view greeting) {
    Conversation conversation(m_limit);
    if (conversation.connect(m_place) != 0 || !conversation.say(bytes_of(greeting)))
      return {};
    return conversation.hear(2s).bytes;
  }

  void try_name(bool is_needed) {
    if (grants_by_name() || waits_for_name())
      return m_report.ok("socks4a", m_server.text + ": resolves names");
    m_report.add(is_needed ? Level::failure : Level::warning, "socks4a",
                 m_server.text +
                     ": does not resolve names, or rejects them: only names that this host knows will work");
  }

  bool grants_by_name() {
    if (!m_granted)
      return false;
    char text[INET_ADDRSTRLEN];
    const in_addr address{htonl(m_granted->ip)};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    Conversation conversation(m_limit);
    const auto reply = reply_in(ask(conversation, request(Command::connect, {0, m_granted->port}, text)));
    return reply && reply->granted();
  }

  // Sends all but the name: DSTIP 0.0.0.1 says that there is one.
  bool waits_for_name() {
    Conversation conversation(m_limit);
    std::array<uint8_t, socks4::max_request_size> bytes;
    const size_t length = socks4::encode(request(Command::connect, {0, 1}, unknown_name), bytes);
    const size_t length_of_name = unknown_name.size() + 1;
    if (conversation.connect(m_place) != 0 || !conversation.say({bytes.data(), length - length_of_name}))
      return false;
    if (conversation.hear(limit_for_name).end != End::silent)
      return false;
    conversation.say({bytes.data() + length - length_of_name, length_of_name});
    return reply_in(conversation.hear()).has_value();
  }

  // "This should only happen after a primary connection to the application server has been established with a CONNECT."
  void try_bind() {
    Conversation primary(m_limit), call(m_limit);
    const Endpoint peer = m_granted.value_or(m_port->endpoint());
    if (m_granted)
      ask(primary, request(Command::connect, peer));
    const auto heard = ask(call, request(Command::bind, peer));
    const auto reply = reply_in(heard);
    if (reply && reply->granted()) {
      Endpoint endpoint = reply->endpoint;
      // "If the DSTIP in the reply is 0 [...], then the client should replace it with the IP address of the SOCKS
      // server"
      if (endpoint.ip == 0)
        endpoint.ip = m_place.endpoint.ip;
      return m_report.ok("bind",
                         fmt::format("{}: awaits calls, at {} for this one", m_server.text, to_text(endpoint).view()));
    }
    m_report.warn("bind",
                  fmt::format("{}: {}: FTP in active mode and other calls from outside will not work", m_server.text,
                              reply ? std::string("a BIND is ") + meaning_of(reply->code)
                                    : ending(heard) + " when asked for a BIND"));
  }

  Report& m_report;
  const NamedServer& m_server;
  const std::string m_userid;
  const std::chrono::milliseconds m_limit = limit_of_user();
  Place m_place;
  std::optional<OwnPort> m_port; // at our side of a connection to the server
  std::optional<Endpoint> m_granted;
};

} // namespace

void check_server(Report& report, const NamedServer& server, Wishes wishes) { Probe(report, server).run(wishes); }

} // namespace socksify
