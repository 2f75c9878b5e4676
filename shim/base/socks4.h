// SPDX-License-Identifier: MIT
// The wire format of SOCKS4 and SOCKS4A: encodes and parses requests and replies. No I/O, no heap, no errno.
//
//   request  VN=4  CD  DSTPORT(2)  DSTIP(4)  USERID...  NUL  [ host name...  NUL ]
//   reply    VN=0  CD  DSTPORT(2)  DSTIP(4)
//
// SOCKS4A: "0.0.0.x with x non-zero" in DSTIP means that a host name follows the userid's NUL.
#pragma once
#include "base/address.h"
#include <array>
#include <span>

namespace socksify::socks4 {

inline constexpr uint8_t request_version = 4;
inline constexpr uint8_t reply_version = 0;
inline constexpr size_t max_userid = 255; // bytes, without the NUL; the specification has no limit
inline constexpr size_t max_host = 255;   // bytes, without the NUL; the longest DNS name
inline constexpr size_t fixed_size = 8;   // of a request, before the userid
inline constexpr size_t reply_size = 8;
inline constexpr size_t max_request_size = fixed_size + max_userid + 1 + max_host + 1;

enum class Command : uint8_t { connect = 1, bind = 2 };

enum class Code : uint8_t {
  granted = 90,
  rejected = 91,        // request rejected or failed
  no_identd = 92,       // server cannot connect to identd on the client
  userid_mismatch = 93, // the client program and identd report different user-ids
};

// One word for logs: "granted", "rejected", "no-identd", "userid-mismatch".
const char* name_of(Code code);
// For people: what a server says by this code.
const char* meaning_of(Code code);

struct Request {
  Command command = Command::connect;
  Endpoint destination;    // the IP is ignored if there is a host
  std::string_view userid; // without NULs
  std::string_view host;   // SOCKS4A name, or empty
};

// Writes the request and returns its length, or 0 if the userid or host is too long or contains a NUL.
size_t encode(const Request& request, std::span<uint8_t, max_request_size> bytes);

enum class Progress { complete, incomplete, malformed };

struct ParsedRequest {
  Progress progress = Progress::incomplete;
  size_t length = 0;        // of the request, if complete
  Request request;          // its texts are views of the parsed bytes
  const char* mistake = ""; // what is wrong, if malformed
};

// Parses the request at the start of `bytes`. More bytes may follow it.
ParsedRequest parse_request(std::span<const uint8_t> bytes);

struct Reply {
  Code code = Code::rejected;
  Endpoint endpoint; // DSTIP and DSTPORT; zero if the server leaves them out

  bool granted() const { return code == Code::granted; }
};

std::array<uint8_t, reply_size> encode(const Reply& reply);

// Nullopt if VN is not 0 or CD is not 90 to 93.
std::optional<Reply> parse_reply(std::span<const uint8_t, reply_size> bytes);

// True if `bytes` may be the beginning of a reply.
bool may_be_reply(std::span<const uint8_t> bytes);

} // namespace socksify::socks4
