// SPDX-License-Identifier: MIT
#include "handshake/handshake.h"
#include "config/config.h"
#include "kernel/real.h"
#include <cerrno>
#include <poll.h>

namespace socksify {
namespace {

// EINPROGRESS: TCP_FASTOPEN_CONNECT is set, and this send() starts the connection.
bool is_temporary(int error) { return error == EAGAIN || error == EINTR || error == EINPROGRESS; }

} // namespace

short Handshake::step(int fd) {
  if (m_error)
    return 0;
  if (m_stage == Stage::sending)
    send(fd);
  else if (m_stage == Stage::receiving)
    receive(fd);
  return events();
}

short Handshake::events() const {
  if (m_error || m_stage == Stage::over)
    return 0;
  return m_stage == Stage::sending ? POLLOUT : POLLIN;
}

size_t Handshake::write_request(uint8_t (&request)[socks4::max_request_size]) const {
  return socks4::encode({m_command, m_destination, userid(), m_host.view()}, request);
}

void Handshake::count_sent(size_t bytes, size_t size) {
  m_sent = static_cast<uint16_t>(m_sent + bytes);
  if (m_sent == size)
    m_stage = Stage::receiving;
}

// Never in a call that blocks: the kernel restarts it after a signal and could send the request twice.
int Handshake::open(int fd, const sockaddr* server, socklen_t length) {
  uint8_t request[socks4::max_request_size];
  const size_t size = write_request(request);
  const ssize_t sent = REAL(sendto)(fd, request, size, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, server, length);
  if (sent < 0)
    return errno;
  count_sent(static_cast<size_t>(sent), size);
  return 0;
}

// While the socket is still connecting to the server, the kernel returns EAGAIN, or the errno of that connection.
void Handshake::send(int fd) {
  uint8_t request[socks4::max_request_size];
  const size_t size = write_request(request);
  const ssize_t sent = REAL(send)(fd, request + m_sent, size - m_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && !is_temporary(errno))
    end_with(errno == EPIPE ? ECONNRESET : errno);
  if (sent > 0)
    count_sent(static_cast<size_t>(sent), size);
}

void Handshake::receive(int fd) {
  const ssize_t got = REAL(recv)(fd, m_reply + m_received, sizeof m_reply - m_received, MSG_DONTWAIT);
  if (got < 0 && is_temporary(errno))
    return;
  if (got <= 0)
    return end_with(got < 0 ? errno : ECONNRESET);
  m_received = static_cast<uint8_t>(m_received + got);
  // Another kind of server may send fewer than 8 bytes and wait; its first byte already shows that it is no reply.
  if (!socks4::may_be_reply({m_reply, m_received}))
    return end_with(EPROTO);
  if (m_received < sizeof m_reply)
    return;
  m_stage = Stage::over;
  m_error = static_cast<int16_t>(errno_of(socks4::parse_reply(m_reply)->code));
}

Endpoint Handshake::endpoint() const { return socks4::parse_reply(m_reply).value_or(socks4::Reply{}).endpoint; }

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
