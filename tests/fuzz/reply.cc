// SPDX-License-Identifier: MIT
// A server's reply, in pieces of any size: the handshake ends, returns 0 only for a granted reply, and reads no byte
// after it. The first byte of the input is the size of the pieces.
#include "config/config.h"
#include "fuzz.h"
#include "handshake/handshake.h"
#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

using namespace socksify;

// The real one would bring in most of the library; only a request asks for it.
std::string_view socksify::userid() {
  return "";
}

namespace {

struct Connection {
  int client = -1, server = -1;

  Connection() {
    int ends[2];
    HOLDS(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    client = ends[0];
    server = ends[1];
  }
  ~Connection() {
    ::close(client);
    ::close(server);
  }
};

size_t left_in(int fd) {
  uint8_t bytes[4096];
  const ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const size_t piece = data[0] % 16 + 1u;
  ++data, --size;
  const Connection connection;
  Handshake handshake(socks4::Command::connect, {0xc0000201, 80});
  size_t said = 0;
  while (handshake.events() && said < size) {
    handshake.step(connection.client);
    const size_t more = std::min(piece, size - said);
    HOLDS(::send(connection.server, data + said, more, MSG_NOSIGNAL) == static_cast<ssize_t>(more));
    said += more;
    handshake.step(connection.client);
  }
  ::shutdown(connection.server, SHUT_WR);
  for (int i = 0; i < 3 && handshake.events(); ++i)
    handshake.step(connection.client);
  HOLDS(!handshake.events());

  const std::span<const uint8_t> reply(data, std::min<size_t>(size, socks4::reply_size));
  const auto parsed = size < socks4::reply_size ? std::nullopt : socks4::parse_reply(reply.first<socks4::reply_size>());
  HOLDS((handshake.error() == 0) == (parsed && parsed->granted()));
  HOLDS(!parsed || socks4::may_be_reply(reply));
  if (handshake.error() == 0)
    HOLDS(handshake.endpoint() == parsed->endpoint && left_in(connection.client) == said - socks4::reply_size);
  return 0;
}
