// SPDX-License-Identifier: MIT
// Receives one request, in whatever pieces it comes, and not one byte of what follows it: early data stays in
// the socket, where the relay finds it.
#pragma once
#include "base/socks4.h"
#include <vector>

namespace socksify {

class RequestReader {
public:
  // All that there is on a non-blocking socket. What was parsed so far; views into this object.
  socks4::ParsedRequest receive(int fd);

private:
  bool receive_piece(int fd, socks4::ParsedRequest& parsed);

  std::vector<uint8_t> m_bytes;
};

} // namespace socksify
