// SPDX-License-Identifier: MIT
// One request and its reply on a socket that is connected to the SOCKS server, as a machine of steps that
// never block. The socket's flags are not touched: each step says MSG_DONTWAIT. It receives the 8 bytes of
// the reply and not one more.
#pragma once
#include "socks4.h"

namespace socksify {

class Handshake {
public:
  explicit Handshake(const socks4::Request& request);

  // Does what can be done now. Returns the poll() events that the next step waits for, 0 when the handshake
  // has ended.
  short step(int fd);

  // When it has ended: the errno of a failure (ECONNRESET: the connection ended before the reply; EPROTO: not
  // a SOCKS4 reply; else the kernel's), or 0 and the reply, which may well be a refusal.
  int error() const { return m_error; }
  const socks4::Reply& reply() const { return m_reply; }

private:
  short send(int fd);
  short receive(int fd);
  short fail(int error);

  uint8_t m_request[socks4::max_request_size];
  size_t m_request_size;
  size_t m_sent = 0;
  uint8_t m_bytes[socks4::reply_size]{};
  size_t m_received = 0;
  int m_error = 0;
  socks4::Reply m_reply;
};

// The errno for a reply's code: 0 if it was granted.
int errno_of(socks4::Code code);

} // namespace socksify
