// SPDX-License-Identifier: MIT
// One request and its reply on a socket that is, or will be, connected to the SOCKS server: a machine of
// steps that never block. The socket's flags are not touched: each step says MSG_DONTWAIT. It receives the 8
// bytes of the reply and not one more. A plain value, so that it can go on in another place, another thread
// or another process.
#pragma once
#include "base/socks4.h"
#include "names/name_map.h"
#include <sys/socket.h>

namespace socksify {

class Handshake {
public:
  Handshake() = default;
  Handshake(socks4::Command command, Endpoint destination) : m_command(command), m_destination(destination) {}
  // By name, where there is one: kept here, because the stand-in may be another name's by the time it is sent.
  Handshake(socks4::Command command, Endpoint destination, const Name& host) : Handshake(command, destination) {
    m_host = host;
  }

  // Does what can be done now. Returns the poll() events that the next step waits for, 0 when the handshake
  // has ended.
  short step(int fd);

  // TCP Fast Open: begins the connection with the request in the SYN, if the kernel has a cookie of that server, else
  // with a SYN that asks for one. 0 or an errno; 0 and EINPROGRESS: it is on its way.
  int open(int fd, const sockaddr* server, socklen_t length);

  // What the next step waits for.
  short events() const;

  // Nothing of the request has been sent: the server may not have been reached.
  bool is_unsent() const { return m_stage == Stage::sending && m_sent == 0; }
  // From the beginning, with another server.
  void restart() { m_error = m_sent = 0; }

  // Ends it from outside, with an errno.
  void fail(int error) { m_error = static_cast<int16_t>(error); }

  // When it has ended. 0: granted; ECONNRESET: the connection ended before the reply; EPROTO: not a SOCKS4
  // reply; the errno for a refusal's code; else the kernel's.
  int error() const { return m_error; }
  // The address in the reply, if it was granted.
  Endpoint endpoint() const;
  socks4::Command command() const { return m_command; }
  Endpoint destination() const { return m_destination; }

private:
  enum class Stage : uint8_t { sending, receiving, over };

  size_t write_request(uint8_t (&request)[socks4::max_request_size]) const;
  void note_sent(size_t bytes, size_t size);
  void send(int fd);
  void receive(int fd);

  socks4::Command m_command = socks4::Command::connect;
  Stage m_stage = Stage::sending;
  uint16_t m_sent = 0;
  int16_t m_error = 0;
  uint8_t m_received = 0;
  uint8_t m_reply[socks4::reply_size]{};
  Endpoint m_destination;
  Name m_host; // empty: by address
};

// The errno for a reply's code: 0 if it was granted.
int errno_of(socks4::Code code);

} // namespace socksify
