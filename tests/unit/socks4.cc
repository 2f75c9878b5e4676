// SPDX-License-Identifier: MIT
#include "base/socks4.h"
#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace socksify;
using namespace socksify::socks4;
using namespace std::literals;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes encoded(const Request& request) {
  uint8_t bytes[max_request_size];
  const size_t length = encode(request, bytes);
  return {bytes, bytes + length};
}

Bytes operator""_b(const char* text, size_t length) { return {text, text + length}; }

std::optional<Reply> reply_of(const Bytes& bytes) {
  REQUIRE(bytes.size() == reply_size);
  return parse_reply(std::span<const uint8_t, reply_size>{bytes.data(), reply_size});
}

constexpr Endpoint example{0xc0000207, 21}; // 192.0.2.7:21

} // namespace

TEST_CASE("a CONNECT request is VN 4, CD 1, DSTPORT, DSTIP, USERID, NUL") {
  CHECK(encoded({Command::connect, example, "fred", {}}) == "\x04\x01\x00\x15\xc0\x00\x02\x07"
                                                            "fred\x00"_b);
}

TEST_CASE("a BIND request has CD 2; a userid may be empty; a port has its high byte first") {
  CHECK(encoded({Command::bind, {0xfffefdfc, 0x1234}, "", {}}) == "\x04\x02\x12\x34\xff\xfe\xfd\xfc\x00"_b);
}

TEST_CASE("a SOCKS4A request has the address 0.0.0.1, and the name and a NUL at its end") {
  CHECK(encoded({Command::connect, example, "me", "host.example"}) == "\x04\x01\x00\x15\x00\x00\x00\x01"
                                                                      "me\x00host.example\x00"_b);
}

TEST_CASE("a request that does not fit into the buffer is not written") {
  const std::string longest(255, 'u'), too_long(256, 'u');
  CHECK(encoded({Command::connect, example, longest, longest}).size() == max_request_size);
  CHECK(encoded({Command::connect, example, too_long, {}}).empty());
  CHECK(encoded({Command::connect, example, "u", too_long}).empty());
  CHECK(encoded({Command::connect, example, "a\0b"sv, {}}).empty());
  CHECK(encoded({Command::connect, example, "a", "b\0c"sv}).empty());
}

TEST_CASE("every truncated request is incomplete, the whole is complete, and later data is left alone") {
  for (const char* host : {"", "host.example"})
    for (const Command command : {Command::connect, Command::bind}) {
      Bytes bytes = encoded({command, example, "fred", host});
      const size_t whole = bytes.size();
      for (size_t length = 0; length < whole; ++length)
        CHECK(parse_request({bytes.data(), length}).progress == Progress::incomplete);
      bytes.insert(bytes.end(), {'G', 'E', 'T'});
      const auto parsed = parse_request(bytes);
      CHECK(parsed.progress == Progress::complete);
      CHECK(parsed.length == whole);
      CHECK(parsed.request.command == command);
      CHECK(parsed.request.destination.port == example.port);
      CHECK(parsed.request.userid == "fred");
      CHECK(parsed.request.host == host);
      if (parsed.request.host.empty())
        CHECK(parsed.request.destination == example);
    }
}

TEST_CASE("0.0.0.0 is an address, 0.0.0.1 to 0.0.0.255 announce a name, 0.0.1.0 is an address again") {
  CHECK(parse_request("\x04\x02\x00\x15\x00\x00\x00\x00\x00"_b).progress == Progress::complete);
  CHECK(parse_request("\x04\x02\x00\x15\x00\x00\x00\x01\x00"_b).progress == Progress::incomplete);
  CHECK(parse_request("\x04\x02\x00\x15\x00\x00\x00\xff\x00"_b).progress == Progress::incomplete);
  CHECK(parse_request("\x04\x02\x00\x15\x00\x00\x01\x00\x00"_b).progress == Progress::complete);
}

TEST_CASE("an invalid request is malformed at its first wrong byte") {
  CHECK(parse_request("\x05"_b).progress == Progress::malformed);
  CHECK(parse_request("\x04\x03"_b).progress == Progress::malformed);
  CHECK(parse_request("\x04\x00"_b).progress == Progress::malformed);
  CHECK(parse_request("\x04\x01\x00\x15\x00\x00\x00\x01u\x00\x00"_b).mistake == "empty host name"sv);
  Bytes endless = "\x04\x01\x00\x15\xc0\x00\x02\x07"_b;
  endless.insert(endless.end(), 255, 'u');
  CHECK(parse_request(endless).progress == Progress::incomplete);
  endless.push_back('u');
  CHECK(parse_request(endless).mistake == "userid too long"sv);
  Bytes name = "\x04\x01\x00\x15\x00\x00\x00\x07u\x00"_b;
  name.insert(name.end(), 255, 'n');
  CHECK(parse_request(name).progress == Progress::incomplete);
  name.push_back('n');
  CHECK(parse_request(name).mistake == "host name too long"sv);
}

TEST_CASE("a reply is VN 0, CD, DSTPORT, DSTIP") {
  const auto bytes = encode(Reply{Code::granted, {0xcb007107, 0x0410}});
  CHECK(Bytes(bytes.begin(), bytes.end()) == "\x00\x5a\x04\x10\xcb\x00\x71\x07"_b);
}

TEST_CASE("only replies 90 to 93 of version 0 are accepted, with any address") {
  for (int code = 0; code < 256; ++code) {
    Bytes bytes = "\x00?\x04\x10\xcb\x00\x71\x07"_b;
    bytes[1] = static_cast<uint8_t>(code);
    const auto reply = reply_of(bytes);
    REQUIRE(reply.has_value() == (code >= 90 && code <= 93));
    if (!reply)
      continue;
    CHECK(int(reply->code) == code);
    CHECK(reply->granted() == (code == 90));
    CHECK(reply->endpoint == Endpoint{0xcb007107, 0x0410});
  }
  for (int version = 1; version < 256; ++version) {
    Bytes bytes = "?\x5a\x04\x10\xcb\x00\x71\x07"_b;
    bytes[0] = static_cast<uint8_t>(version);
    CHECK_FALSE(reply_of(bytes).has_value());
  }
  CHECK(reply_of("\x00\x5a\x00\x00\x00\x00\x00\x00"_b)->endpoint == Endpoint{});
}

TEST_CASE("the first two bytes tell whether a reply is valid") {
  CHECK(may_be_reply({}));
  CHECK(may_be_reply("\x00"_b));
  CHECK(may_be_reply("\x00\x5b"_b));
  CHECK_FALSE(may_be_reply("S"_b));
  CHECK_FALSE(may_be_reply("\x00\x59"_b));
  CHECK_FALSE(may_be_reply("\x00\x5e\x00"_b));
}
