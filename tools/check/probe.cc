// SPDX-License-Identifier: MIT
#include "check/probe.h"
#include "base/socks4.h"
#include "check/connection.h"
#include "check/other_protocol.h"
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <netdb.h>
#include <optional>

namespace socksify::check {
namespace {

using namespace std::chrono_literals;
using socks4::Code;
using socks4::Command;
using socks4::Request;
using Clock = std::chrono::steady_clock;

// A server that does not know SOCKS4A has the whole request before the name comes, and replies within this time.
constexpr auto limit_for_name = 1s;
constexpr std::string_view unknown_name = "socksify-check.invalid"; // RFC 2606: never resolves

// A port of ours that the server may connect to.
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

std::optional<socks4::Reply> reply_in(const Received& received) {
  if (received.bytes.size() != socks4::reply_size)
    return std::nullopt;
  return socks4::parse_reply(
      std::span<const uint8_t, socks4::reply_size>(bytes_of(received.bytes).data(), socks4::reply_size));
}

std::string text_of(const Server& server) {
  return server.is_unix ? fmt::format("unix:{}", server.host.view())
                        : fmt::format("{}:{}", server.host.view(), server.port);
}

std::string text_of(Endpoint endpoint) { return to_text(endpoint).c_str(); }

class Probe {
public:
  Probe(Report& report, const Server& server, const CheckOptions& options)
      : m_report(report), m_server(server), m_options(options) {}

  void run() {
    if (!find() || !reach() || !try_connect())
      return;
    try_name();
    if (m_options.has_bind)
      try_bind();
  }

private:
  void fail(const char* about, const std::string& text) { m_report.fail(about, fmt::format("{}: {}", m_name, text)); }

  bool find() {
    m_address.endpoint.port = m_server.port;
    if (m_server.is_unix) {
      m_address.path = m_server.host.view();
      return true;
    }
    addrinfo hints{}, *list = nullptr;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    const int error = ::getaddrinfo(m_server.host.c_str(), nullptr, &hints, &list);
    if (error != 0) {
      fail("server", fmt::format("this host does not know its address: {}", ::gai_strerror(error)));
      return false;
    }
    m_address.endpoint.ip = IpPort::from(list->ai_addr, list->ai_addrlen)->ip.ipv4();
    ::freeaddrinfo(list);
    return true;
  }

  // "gate:1080 (192.0.2.1:1080)"
  std::string name_and_address() const {
    const auto address = text_of(m_address.endpoint);
    return m_server.is_unix || address == m_name ? m_name : fmt::format("{} ({})", m_name, address);
  }

  bool reach() {
    Connection connection(m_options.limit);
    const auto began = Clock::now();
    const int error = connection.connect(m_address);
    // Linux reports "reset" only for a connection that was established (tcp_reset()): try_connect() finds out why.
    if (error != 0 && error != ECONNRESET) {
      m_report.fail("server", fmt::format("{}: {}", name_and_address(), std::strerror(error)));
      return false;
    }
    m_port.emplace(connection.local().ip);
    const std::chrono::duration<double, std::milli> time = Clock::now() - began;
    m_report.ok("server", fmt::format("{}: reached in {:.1f} ms", name_and_address(), time.count()));
    return true;
  }

  // Sends one request; the reply is on this connection.
  Received ask(Connection& connection, const Request& request) {
    std::array<uint8_t, socks4::max_request_size> bytes;
    if (connection.connect(m_address) != 0)
      return {{}, End::reset};
    connection.send({bytes.data(), socks4::encode(request, bytes)});
    return connection.receive();
  }

  Request request(Command command, Endpoint destination, std::string_view host = {}) const {
    return {command, destination, m_options.userid, host};
  }

  bool try_connect() {
    const auto code = connect_somewhere();
    if (code == Code::no_identd || code == Code::userid_mismatch)
      fail("socks4", fmt::format("speaks SOCKS4, but a CONNECT is {}", socks4::meaning_of(*code)));
    else if (code)
      m_report.ok("socks4", fmt::format("{}: speaks SOCKS4: a CONNECT to {}", m_name,
                                        m_granted ? fmt::format("{} is granted", text_of(*m_granted))
                                                  : fmt::format("itself or back to here is {}, as the rules of many "
                                                                "servers have it",
                                                                socks4::meaning_of(*code))));
    return code == Code::granted || code == Code::rejected;
  }

  // The last reply. Many servers have rules against some of these destinations; one that is granted shows most.
  std::optional<Code> connect_somewhere() {
    std::optional<Code> code;
    for (const Endpoint target :
         {Endpoint{INADDR_LOOPBACK, m_address.endpoint.port}, m_address.endpoint, m_port->endpoint()}) {
      if (target.ip == 0 || target.port == 0)
        continue;
      Connection connection(m_options.limit);
      const auto received = ask(connection, request(Command::connect, target));
      const auto reply = reply_in(received);
      if (!reply && !code) {
        fail("socks4", what_it_speaks(m_address, received, m_options.limit));
        return std::nullopt;
      }
      if (reply)
        code = reply->code;
      if (reply && reply->granted()) {
        m_granted = target;
        break;
      }
    }
    return code;
  }

  void try_name() {
    if (grants_by_name() || waits_for_name())
      return m_report.ok("socks4a", m_name + ": resolves names");
    m_report.add(m_options.needs_names ? Level::failure : Level::warning, "socks4a",
                 m_name + ": does not resolve names, or rejects them: only names that this host knows will work");
  }

  bool grants_by_name() {
    if (!m_granted)
      return false;
    char text[INET_ADDRSTRLEN];
    const in_addr address{htonl(m_granted->ip)};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    Connection connection(m_options.limit);
    const auto reply = reply_in(ask(connection, request(Command::connect, {0, m_granted->port}, text)));
    return reply && reply->granted();
  }

  // Sends all but the name: DSTIP 0.0.0.1 says that one follows.
  bool waits_for_name() {
    Connection connection(m_options.limit);
    std::array<uint8_t, socks4::max_request_size> bytes;
    const size_t length = socks4::encode(request(Command::connect, {0, 1}, unknown_name), bytes);
    const size_t length_of_name = unknown_name.size() + 1;
    if (connection.connect(m_address) != 0 || !connection.send({bytes.data(), length - length_of_name}))
      return false;
    if (connection.receive(limit_for_name).end != End::silent)
      return false;
    connection.send({bytes.data() + length - length_of_name, length_of_name});
    return reply_in(connection.receive()).has_value();
  }

  // "This should only happen after a primary connection to the application server has been established with a CONNECT."
  void try_bind() {
    Connection primary(m_options.limit), call(m_options.limit);
    const Endpoint peer = m_granted.value_or(m_port->endpoint());
    if (m_granted)
      ask(primary, request(Command::connect, peer));
    const auto received = ask(call, request(Command::bind, peer));
    const auto reply = reply_in(received);
    if (reply && reply->granted())
      return report_bind(reply->endpoint);
    m_report.warn("bind", fmt::format("{}: {}: FTP in active mode and other calls from outside will not work", m_name,
                                      reply ? fmt::format("a BIND is {}", socks4::meaning_of(reply->code))
                                            : ending(received, m_options.limit) + " when asked for a BIND"));
  }

  // "If the DSTIP in the reply is 0 [...], then the client should replace it with the IP address of the SOCKS server"
  void report_bind(Endpoint endpoint) {
    if (endpoint.ip == 0)
      endpoint.ip = m_address.endpoint.ip;
    m_report.ok("bind", fmt::format("{}: accepts calls from outside, at {} for this one", m_name, text_of(endpoint)));
  }

  Report& m_report;
  const Server& m_server;
  const CheckOptions& m_options;
  const std::string m_name = text_of(m_server);
  ServerAddress m_address;
  std::optional<OwnPort> m_port; // on our side of a connection to the server
  std::optional<Endpoint> m_granted;
};

} // namespace

void check_server(Report& report, const Server& server, const CheckOptions& options) {
  Probe(report, server, options).run();
}

} // namespace socksify::check
