// SPDX-License-Identifier: MIT
#include "check/other_protocol.h"
#include <fmt/format.h>

namespace socksify::check {
namespace {

using namespace std::chrono_literals;

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(byte));
  return text;
}

// By its first bytes; empty if they are none that we know.
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

std::string reply_to(std::string_view greeting, const ServerAddress& server, std::chrono::milliseconds limit) {
  Connection connection(limit);
  if (connection.connect(server) != 0 || !connection.send(bytes_of(greeting)))
    return {};
  return connection.receive(2s).bytes;
}

// A SOCKS5 server does not reply to a message that begins with a 4, and an HTTP server not before the line ends.
std::string find_protocol(const ServerAddress& server, const Received& received, std::chrono::milliseconds limit) {
  if (auto protocol = protocol_of(received.bytes); !protocol.empty())
    return protocol;
  if (reply_to({"\5\1\0", 3}, server, limit).starts_with('\5'))
    return "SOCKS5";
  return protocol_of(reply_to("OPTIONS * HTTP/1.0\r\n\r\n", server, limit));
}

} // namespace

std::string ending(const Received& received, std::chrono::milliseconds limit) {
  switch (received.end) {
  case End::closed:
    return "closes the connection";
  case End::reset:
    return "resets the connection";
  default:
    return fmt::format("says nothing for {} s", std::chrono::duration_cast<std::chrono::seconds>(limit).count());
  }
}

std::string what_it_speaks(const ServerAddress& server, const Received& received, std::chrono::milliseconds limit) {
  if (const auto protocol = find_protocol(server, received, limit); !protocol.empty())
    return fmt::format("speaks {}, not SOCKS4", protocol);
  if (received.bytes.empty())
    return ending(received, limit) + " instead of replying: it does not speak SOCKS4, or does not serve this host";
  return "does not speak SOCKS4: it replies " + hexadecimal(received.bytes);
}

} // namespace socksify::check
