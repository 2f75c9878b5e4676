// SPDX-License-Identifier: MIT
#include "socks4d/session/request_reader.h"
#include <algorithm>
#include <array>
#include <sys/socket.h>

namespace socks4d {

using namespace socks4;

ParsedRequest RequestReader::receive(int fd) {
  ParsedRequest parsed;
  while (parsed.progress == Progress::incomplete && receive_piece(fd, parsed))
    ;
  return parsed;
}

// Peeks first, and reads only what turns out to belong to the request. False if there was nothing to read.
bool RequestReader::receive_piece(int fd, ParsedRequest& parsed) {
  std::array<uint8_t, max_request_size> piece;
  const size_t had = m_bytes.size();
  const ssize_t seen = ::recv(fd, piece.data(), max_request_size - had, MSG_PEEK);
  if (seen < 0 && would_block())
    return false;
  if (check("recv", seen) == 0)
    throw Failure("request", ECONNRESET);
  m_bytes.insert(m_bytes.end(), piece.begin(), piece.begin() + seen);
  parsed = parse_request(m_bytes);
  const size_t length = parsed.progress == Progress::complete ? parsed.length - had : static_cast<size_t>(seen);
  if (check("recv", ::recv(fd, piece.data(), length, 0)) != static_cast<ssize_t>(length))
    throw Failure("recv", EIO);
  return true;
}

} // namespace socks4d
