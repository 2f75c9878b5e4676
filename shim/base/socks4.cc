// SPDX-License-Identifier: MIT
#include "base/socks4.h"
#include <algorithm>
#include <cstring>

namespace socksify::socks4 {
namespace {

constexpr uint32_t marks_host = 0x00000001; // 0.0.0.1

uint8_t* put(uint8_t* out, Endpoint endpoint) {
  *out++ = static_cast<uint8_t>(endpoint.port >> 8);
  *out++ = static_cast<uint8_t>(endpoint.port);
  for (int shift = 24; shift >= 0; shift -= 8)
    *out++ = static_cast<uint8_t>(endpoint.ip >> shift);
  return out;
}

Endpoint get_endpoint(const uint8_t* in) {
  Endpoint endpoint;
  endpoint.port = static_cast<uint16_t>(in[0] << 8 | in[1]);
  for (int i = 2; i < 6; ++i)
    endpoint.ip = endpoint.ip << 8 | in[i];
  return endpoint;
}

uint8_t* put(uint8_t* out, std::string_view text) {
  out = std::copy(text.begin(), text.end(), out);
  *out++ = 0;
  return out;
}

bool fits(std::string_view text, size_t most) { return text.size() <= most && text.find('\0') == text.npos; }

bool is_code(uint8_t byte) { return byte >= uint8_t(Code::granted) && byte <= uint8_t(Code::userid_mismatch); }

// A text of at most `most` bytes, terminated by NUL.
struct Terminated {
  Progress progress;
  std::string_view text;
};

Terminated get_text(std::span<const uint8_t> bytes, size_t most) {
  const auto window = bytes.first(std::min(bytes.size(), most + 1));
  const auto end = std::find(window.begin(), window.end(), uint8_t{0});
  if (end == window.end())
    return {window.size() > most ? Progress::malformed : Progress::incomplete, {}};
  return {Progress::complete, {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(end - window.begin())}};
}

const char* mistake_in_fixed_part(std::span<const uint8_t> bytes) {
  if (!bytes.empty() && bytes[0] != request_version)
    return "not SOCKS version 4";
  if (bytes.size() > 1 && bytes[1] != uint8_t(Command::connect) && bytes[1] != uint8_t(Command::bind))
    return "unknown command";
  return nullptr;
}

// Parses the text that follows the first parsed.length bytes, and adds its length. False unless it is complete.
bool parse_text(std::span<const uint8_t> bytes, size_t most, ParsedRequest& parsed, std::string_view& text) {
  const Terminated found = get_text(bytes.subspan(parsed.length), most);
  parsed.progress = found.progress;
  text = found.text;
  parsed.length += found.text.size() + 1;
  return found.progress == Progress::complete;
}

ParsedRequest malformed(ParsedRequest parsed, const char* mistake) {
  parsed.progress = Progress::malformed;
  parsed.mistake = mistake;
  return parsed;
}

// SOCKS4A: 0.0.0.x with x non-zero.
bool host_follows(uint32_t ip) { return ip != 0 && ip <= 0xff; }

} // namespace

const char* name_of(Code code) {
  switch (code) {
  case Code::granted:
    return "granted";
  case Code::rejected:
    return "rejected";
  case Code::no_identd:
    return "no-identd";
  case Code::userid_mismatch:
    return "userid-mismatch";
  }
  return "?";
}

const char* meaning_of(Code code) {
  switch (code) {
  case Code::granted:
    return "granted";
  case Code::rejected:
    return "rejected (reply 91)";
  case Code::no_identd:
    return "rejected, because the server cannot ask identd on this host who you are (reply 92)";
  case Code::userid_mismatch:
    return "rejected, because identd on this host reports another userid (reply 93)";
  }
  return "?";
}

size_t encode(const Request& request, std::span<uint8_t, max_request_size> bytes) {
  if (!fits(request.userid, max_userid) || !fits(request.host, max_host))
    return 0;
  Endpoint destination = request.destination;
  if (!request.host.empty())
    destination.ip = marks_host;
  uint8_t* out = bytes.data();
  *out++ = request_version;
  *out++ = static_cast<uint8_t>(request.command);
  out = put(out, destination);
  out = put(out, request.userid);
  if (!request.host.empty())
    out = put(out, request.host);
  return static_cast<size_t>(out - bytes.data());
}

ParsedRequest parse_request(std::span<const uint8_t> bytes) {
  ParsedRequest parsed;
  if (const char* mistake = mistake_in_fixed_part(bytes))
    return malformed(parsed, mistake);
  if (bytes.size() < fixed_size)
    return parsed;
  Request& request = parsed.request;
  request.command = Command{bytes[1]};
  request.destination = get_endpoint(bytes.data() + 2);
  parsed.length = fixed_size;
  if (!parse_text(bytes, max_userid, parsed, request.userid))
    return parsed.progress == Progress::malformed ? malformed(parsed, "userid too long") : parsed;
  if (!host_follows(request.destination.ip))
    return parsed;
  if (!parse_text(bytes, max_host, parsed, request.host))
    return parsed.progress == Progress::malformed ? malformed(parsed, "host name too long") : parsed;
  return request.host.empty() ? malformed(parsed, "empty host name") : parsed;
}

std::array<uint8_t, reply_size> encode(const Reply& reply) {
  std::array<uint8_t, reply_size> bytes{reply_version, static_cast<uint8_t>(reply.code)};
  put(bytes.data() + 2, reply.endpoint);
  return bytes;
}

bool may_be_reply(std::span<const uint8_t> bytes) {
  return (bytes.empty() || bytes[0] == reply_version) && (bytes.size() < 2 || is_code(bytes[1]));
}

std::optional<Reply> parse_reply(std::span<const uint8_t, reply_size> bytes) {
  if (!may_be_reply(bytes))
    return std::nullopt;
  return Reply{Code{bytes[1]}, get_endpoint(bytes.data() + 2)};
}

} // namespace socksify::socks4
