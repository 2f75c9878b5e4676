// SPDX-License-Identifier: MIT
// One request and its reply, on a socket that is connected to the SOCKS server or soon will be. A machine of steps that
// never block: each uses MSG_DONTWAIT, so the socket's flags stay as they are. It receives the 8 bytes of the reply and
// not one more. A plain value, so that another thread or process can continue it.
#pragma once
#include "base/socks4.h"
#include "names/name_map.h"
#include <sys/socket.h>

namespace socksify {

class Handshake {
public:
  Handshake() = default;
  Handshake(socks4::Command command, Endpoint destination) : m_command(command), m_destination(destination) {}
  // By name, which is copied here, because the fake IP may stand for another name by the time the request is sent.
  Handshake(socks4::Command command, Endpoint destination, const Name& host) : Handshake(command, destination) {
    m_host = host;
  }

  // Does what can be done now. Returns the poll() events that the next step waits for; 0: the handshake has ended.
  short step(int fd);

  // TCP Fast Open: starts the connection with the request in the SYN if the kernel has a cookie of this server, else
  // with a SYN that asks for one. 0 or an errno; after 0 and EINPROGRESS the connection is in progress.
  int open(int fd, const sockaddr* server, socklen_t length);

  // The poll() events that the next step waits for.
  short events() const;

  // True if nothing of the request is sent yet, so that the server may be unreachable.
  bool is_unsent() const { return m_stage == Stage::sending && m_sent == 0; }
  // Starts again, with another server.
  void restart() { m_error = m_sent = 0; }

  // Ends the handshake with an errno.
  void end_with(int error) { m_error = static_cast<int16_t>(error); }

  // Of a handshake that has ended. 0: granted; ECONNRESET: the connection ended before the reply; EPROTO: not a SOCKS4
  // reply; the errno for the reply's code; else the kernel's errno.
  int error() const { return m_error; }
  // The address in the reply, if the request was granted.
  Endpoint endpoint() const;
  socks4::Command command() const { return m_command; }
  Endpoint destination() const { return m_destination; }

private:
  enum class Stage : uint8_t { sending, receiving, over };

  size_t write_request(uint8_t (&request)[socks4::max_request_size]) const;
  void count_sent(size_t bytes, size_t size);
  void send(int fd);
  void receive(int fd);

  socks4::Command m_command = socks4::Command::connect;
  Stage m_stage = Stage::sending;
  uint16_t m_sent = 0;
  int16_t m_error = 0;
  uint8_t m_received = 0;
  uint8_t m_reply[socks4::reply_size]{};
  Endpoint m_destination;
  Name m_host; // empty: the request is by address
};

// The errno for a reply's code; 0: granted.
int errno_of(socks4::Code code);

} // namespace socksify
