// SPDX-License-Identifier: MIT
// The wire format of SOCKS4 and SOCKS4A: requests and replies as bytes. Pure: no I/O, no heap, no errno.
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
inline constexpr size_t max_userid = 255; // bytes, without the NUL: no limit in the specification
inline constexpr size_t max_host = 255;   // bytes, without the NUL: as long as a DNS name can be
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
  Endpoint destination;    // the IP is not used when there is a host
  std::string_view userid; // may not hold a NUL
  std::string_view host;   // SOCKS4A name; empty: none
};

// Writes the request and returns its length; 0 if userid or host are too long or hold a NUL.
size_t encode(const Request& request, std::span<uint8_t, max_request_size> bytes);

enum class Progress { complete, incomplete, malformed };

struct ParsedRequest {
  Progress progress = Progress::incomplete;
  size_t length = 0;        // bytes that the request took, when complete
  Request request;          // views into the bytes that were parsed
  const char* mistake = ""; // what is wrong, when malformed
};

// Reads the request at the front of `bytes`; what follows it is not touched.
ParsedRequest parse_request(std::span<const uint8_t> bytes);

struct Reply {
  Code code = Code::rejected;
  Endpoint endpoint; // DSTIP and DSTPORT; zero where the server leaves them out

  bool granted() const { return code == Code::granted; }
};

std::array<uint8_t, reply_size> encode(const Reply& reply);

// Nothing if VN is not 0 or CD not one of 90 to 93.
std::optional<Reply> parse_reply(std::span<const uint8_t, reply_size> bytes);

// True while `bytes`, the beginning of a reply, can still become one.
bool may_be_reply(std::span<const uint8_t> bytes);

} // namespace socksify::socks4
