// SPDX-License-Identifier: MIT
// Requests: parsing reverses encoding, and every truncated request is incomplete.
#include "base/socks4.h"
#include "fuzz.h"
#include <algorithm>

using namespace socksify::socks4;
using Bytes = std::span<const uint8_t>;

namespace {

bool are_equal(const Request& one, const Request& other) {
  const bool is_same_place = one.destination.port == other.destination.port &&
                             (!one.host.empty() || one.destination.ip == other.destination.ip);
  return one.command == other.command && one.userid == other.userid && one.host == other.host && is_same_place;
}

void check_round_trip(const Request& request, Bytes original) {
  std::array<uint8_t, max_request_size> encoded;
  const size_t length = encode(request, encoded);
  HOLDS(length == original.size());
  const ParsedRequest again = parse_request(Bytes(encoded).first(length));
  HOLDS(again.progress == Progress::complete && again.length == length);
  HOLDS(are_equal(request, again.request));
  // Everything but DSTIP, which may be any 0.0.0.x if there is a name.
  HOLDS(std::ranges::equal(original.first(4), Bytes(encoded).first(4)));
  HOLDS(std::ranges::equal(original.subspan(fixed_size), Bytes(encoded).subspan(fixed_size, length - fixed_size)));
}

void check_pieces(Bytes request) {
  for (size_t length = 0; length < request.size(); ++length)
    HOLDS(parse_request(request.first(length)).progress == Progress::incomplete);
}

void check_reply(Bytes bytes) {
  if (bytes.size() < reply_size)
    return;
  if (const auto reply = parse_reply(bytes.first<reply_size>()))
    HOLDS(std::ranges::equal(encode(*reply), bytes.first<reply_size>()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const ParsedRequest parsed = parse_request(bytes);
  switch (parsed.progress) {
  case Progress::complete:
    HOLDS(parsed.length <= size && parsed.length <= max_request_size);
    check_round_trip(parsed.request, bytes.first(parsed.length));
    check_pieces(bytes.first(parsed.length));
    break;
  case Progress::incomplete:
    HOLDS(size < max_request_size);
    break;
  case Progress::malformed:
    HOLDS(*parsed.mistake);
    break;
  }
  check_reply(bytes);
  return 0;
}
