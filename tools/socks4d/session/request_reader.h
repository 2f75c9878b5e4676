// SPDX-License-Identifier: MIT
// Receives one request, however it is split into pieces, and not one byte beyond it: early data stays in the socket
// for the relay.
#pragma once
#include "socks4d/base.h"
#include <vector>

namespace socks4d {

class RequestReader {
public:
  // Reads what a non-blocking socket has and returns the request as parsed so far, with views into this object.
  socks4::ParsedRequest receive(int fd);

private:
  bool receive_piece(int fd, socks4::ParsedRequest& parsed);

  std::vector<uint8_t> m_bytes;
};

} // namespace socks4d
