// SPDX-License-Identifier: MIT
#include "socks4d/session/request_reader.h"
#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace socks4d;
using namespace std::literals;
using socks4::Progress;

namespace {

const std::string by_address = "\x04\x02\x00\x15\xc0\x00\x02\x07"s + "fred\0"s;
const std::string by_name = "\x04\x01\x00\x15\x00\x00\x00\x01"s + "fred\0host.example\0"s;

// Both ends of a connection.
struct Connection {
  Connection() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    client = Fd(ends[0]);
    server = Fd(ends[1]);
    REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  std::string rest() {
    std::string bytes(4096, '\0');
    const ssize_t count = ::recv(server.get(), bytes.data(), bytes.size(), 0);
    return bytes.substr(0, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  }

  Fd client, server;
};

} // namespace

TEST_CASE("a request in two pieces, cut anywhere; what follows stays in the socket") {
  for (const std::string& whole : {by_address, by_name})
    for (size_t cut = 1; cut <= whole.size(); ++cut) {
      Connection connection;
      RequestReader reader;
      connection.send(whole.substr(0, cut));
      auto parsed = reader.receive(connection.server.get());
      CHECK(parsed.progress == (cut < whole.size() ? Progress::incomplete : Progress::complete));
      if (cut < whole.size()) {
        connection.send(whole.substr(cut) + "early data");
        parsed = reader.receive(connection.server.get());
      } else {
        connection.send("early data");
      }
      REQUIRE(parsed.progress == Progress::complete);
      CHECK(parsed.request.userid == "fred");
      CHECK(parsed.request.host == (whole == by_name ? "host.example" : ""));
      CHECK(parsed.request.destination.port == 21);
      CHECK(connection.rest() == "early data");
    }
}

TEST_CASE("a request byte by byte; an empty socket is no error") {
  Connection connection;
  RequestReader reader;
  for (const char& byte : by_name) {
    CHECK(reader.receive(connection.server.get()).progress == Progress::incomplete);
    connection.send({&byte, 1});
    const auto parsed = reader.receive(connection.server.get());
    CHECK(parsed.progress == (&byte == &by_name.back() ? Progress::complete : Progress::incomplete));
  }
  CHECK(connection.rest().empty());
}

TEST_CASE("an end of stream within the request is a failure, wherever it comes") {
  for (size_t length = 0; length < by_name.size(); ++length) {
    Connection connection;
    RequestReader reader;
    connection.send(by_name.substr(0, length));
    ::shutdown(connection.client.get(), SHUT_WR);
    CHECK_THROWS_AS(reader.receive(connection.server.get()), Failure);
  }
}

TEST_CASE("the longest request is accepted, with much data after it; a longer one is malformed") {
  const std::string longest = by_name.substr(0, 8) + std::string(255, 'u') + '\0' + std::string(255, 'h') + '\0';
  Connection connection;
  RequestReader reader;
  connection.send(longest + std::string(1000, 'd'));
  const auto parsed = reader.receive(connection.server.get());
  CHECK(parsed.progress == Progress::complete);
  CHECK(parsed.request.host.size() == 255);
  CHECK(connection.rest() == std::string(1000, 'd'));

  Connection other;
  RequestReader other_reader;
  other.send(by_name.substr(0, 8) + std::string(256, 'u'));
  CHECK(other_reader.receive(other.server.get()).progress == Progress::malformed);
}
