// SPDX-License-Identifier: MIT
#include "handshake/handshake.h"
#include "base/fd.h"
#include "config/config.h"
#include <doctest/doctest.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

using namespace socksify;
using namespace std::literals;

namespace {

// The client's and the server's end of one connection.
struct Pair {
  Fd client, server;

  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    client = Fd{ends[0]};
    server = Fd{ends[1]};
  }
  std::string received() {
    char room[1024];
    const ssize_t got = recv(server.get(), room, sizeof room, MSG_DONTWAIT);
    return {room, got > 0 ? static_cast<size_t>(got) : 0};
  }
  void say(std::string_view bytes) {
    REQUIRE(send(server.get(), bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()));
  }
  std::string left_for_program() {
    char room[64];
    const ssize_t got = recv(client.get(), room, sizeof room, MSG_DONTWAIT);
    return {room, got > 0 ? static_cast<size_t>(got) : 0};
  }
};

Handshake connect_handshake() { return Handshake{socks4::Command::connect, {0xc0000207, 80}}; }

const std::string request = "\x04\x01\x00\x50\xc0\x00\x02\x07"s + std::string(userid()) + '\0';
constexpr auto granted = "\x00\x5a\x12\x34\x0a\x00\x00\x01"sv;

} // namespace

TEST_CASE("a handshake sends its request, waits without blocking, and reads exactly 8 bytes") {
  Pair pair;
  Handshake handshake = connect_handshake();
  CHECK(handshake.step(pair.client.get()) == POLLIN);
  CHECK(pair.received() == request);
  CHECK(handshake.step(pair.client.get()) == POLLIN); // nothing arrived: it returns
  pair.say(std::string(granted) + "220 hello");
  CHECK(handshake.step(pair.client.get()) == 0);
  CHECK(handshake.error() == 0);
  CHECK(handshake.endpoint() == Endpoint{0x0a000001, 0x1234});
  CHECK(pair.left_for_program() == "220 hello");
  CHECK(handshake.step(pair.client.get()) == 0);
}

TEST_CASE("a destination with a name is sent by name") {
  Pair pair;
  Name name;
  name.add("host.example");
  Handshake handshake{socks4::Command::bind, {0xc6120001, 80}, name};
  CHECK(handshake.step(pair.client.get()) == POLLIN);
  CHECK(pair.received() == "\x04\x02\x00\x50\x00\x00\x00\x01"s + std::string(userid()) + '\0' + "host.example" + '\0');
}

TEST_CASE("a reply may arrive byte by byte") {
  Pair pair;
  Handshake handshake = connect_handshake();
  CHECK(handshake.step(pair.client.get()) == POLLIN);
  for (size_t i = 0; i + 1 < granted.size(); ++i) {
    pair.say(granted.substr(i, 1));
    CHECK(handshake.step(pair.client.get()) == POLLIN);
  }
  pair.say(granted.substr(7));
  CHECK(handshake.step(pair.client.get()) == 0);
  CHECK(handshake.endpoint().ip == 0x0a000001);
}

TEST_CASE("on a full socket the request waits for POLLOUT and resumes where it stopped") {
  Pair pair;
  char filler[4096]{};
  size_t filled = 0;
  for (ssize_t sent; (sent = send(pair.client.get(), filler, sizeof filler, MSG_DONTWAIT)) > 0;)
    filled += static_cast<size_t>(sent);
  Handshake handshake = connect_handshake();
  CHECK(handshake.step(pair.client.get()) == POLLOUT);
  std::string all;
  while (all.size() < filled)
    all += pair.received();
  CHECK(handshake.step(pair.client.get()) == POLLIN);
  CHECK(pair.received() == request);
}

TEST_CASE("the end of the stream at any byte of the reply is ECONNRESET") {
  for (size_t length = 0; length < granted.size(); ++length) {
    Pair pair;
    Handshake handshake = connect_handshake();
    handshake.step(pair.client.get());
    pair.received();
    if (length)
      pair.say(granted.substr(0, length));
    pair.server.reset();
    short events = POLLIN;
    for (int steps = 0; events && steps < 3; ++steps)
      events = handshake.step(pair.client.get());
    CHECK(events == 0);
    CHECK(handshake.error() == ECONNRESET);
  }
}

TEST_CASE("an invalid reply is EPROTO at its first wrong byte; a lost connection is ECONNRESET") {
  for (const auto garbage :
       {"S"sv, "HTTP/1.1 400"sv, "\x04\x5a"sv, "\x00\x00"sv, "\x00\x59"sv, "\x00\x5e\0\0\0\0\0\0"sv}) {
    Pair pair;
    Handshake handshake = connect_handshake();
    handshake.step(pair.client.get());
    pair.say(garbage);
    CHECK(handshake.step(pair.client.get()) == 0);
    CHECK(handshake.error() == EPROTO);
  }
  Pair pair;
  pair.server.reset();
  Handshake handshake = connect_handshake();
  CHECK(handshake.step(pair.client.get()) == 0); // and no SIGPIPE
  CHECK(handshake.error() == ECONNRESET);
}

TEST_CASE("each reply code has its errno") {
  CHECK(errno_of(socks4::Code::granted) == 0);
  CHECK(errno_of(socks4::Code::rejected) == ECONNREFUSED);
  CHECK(errno_of(socks4::Code::no_identd) == EACCES);
  CHECK(errno_of(socks4::Code::userid_mismatch) == EACCES);
}
