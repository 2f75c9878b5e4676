// SPDX-License-Identifier: MIT
#include "handshake.h"
#include "real.h"
#include <cerrno>
#include <poll.h>

namespace socksify {

Handshake::Handshake(const socks4::Request& request) : m_request_size(socks4::encode(request, m_request)) {
  if (m_request_size == 0)
    m_error = EINVAL; // the configuration has checked what the user gave; a name may still be too long
}

short Handshake::step(int fd) {
  if (m_error || m_received == sizeof m_bytes)
    return 0;
  return m_sent < m_request_size ? send(fd) : receive(fd);
}

short Handshake::send(int fd) {
  const ssize_t sent =
      REAL(send)(fd, m_request + m_sent, m_request_size - m_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0)
    m_sent += static_cast<size_t>(sent);
  else if (errno != EAGAIN && errno != EINTR)
    return fail(errno == EPIPE ? ECONNRESET : errno);
  return m_sent < m_request_size ? POLLOUT : POLLIN;
}

short Handshake::receive(int fd) {
  const ssize_t got = REAL(recv)(fd, m_bytes + m_received, sizeof m_bytes - m_received, MSG_DONTWAIT);
  if (got == 0)
    return fail(ECONNRESET);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR ? POLLIN : fail(errno);
  m_received += static_cast<size_t>(got);
  // A server of another kind may say less than 8 bytes and wait: told by the first byte already.
  if (!socks4::may_be_reply({m_bytes, m_received}))
    return fail(EPROTO);
  if (m_received < sizeof m_bytes)
    return POLLIN;
  m_reply = *socks4::parse_reply(m_bytes);
  return 0;
}

short Handshake::fail(int error) {
  m_error = error;
  return 0;
}

int errno_of(socks4::Code code) {
  switch (code) {
  case socks4::Code::granted:
    return 0;
  case socks4::Code::rejected:
    return ECONNREFUSED;
  case socks4::Code::no_identd:
  case socks4::Code::userid_mismatch:
    return EACCES;
  }
  return EPROTO;
}

} // namespace socksify
