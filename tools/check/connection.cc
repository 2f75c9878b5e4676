// SPDX-License-Identifier: MIT
#include "check/connection.h"
#include "base/socks4.h"
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace socksify::check {
namespace {

using Clock = std::chrono::steady_clock;

bool wait_for(int fd, short event, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd one{fd, event, 0};
    const int ready = left > 0 ? ::poll(&one, 1, static_cast<int>(left)) : 0;
    if (ready >= 0 || errno != EINTR)
      return ready > 0;
  }
}

int connect_to_path(int fd, const std::string& path) {
  sockaddr_un address{AF_UNIX, {}};
  if (path.size() >= sizeof address.sun_path)
    return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

int connect_to_endpoint(int fd, Endpoint endpoint) {
  const SocketAddress address(endpoint, AF_INET);
  return ::connect(fd, address.get(), address.length) == 0 ? 0 : errno;
}

} // namespace

int Connection::start(const ServerAddress& server) {
  const bool is_unix = !server.path.empty();
  m_fd = Fd(::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!m_fd)
    return errno;
  return is_unix ? connect_to_path(m_fd.get(), server.path) : connect_to_endpoint(m_fd.get(), server.endpoint);
}

int Connection::connect(const ServerAddress& server) {
  int error = start(server);
  if (error != EINPROGRESS)
    return error;
  if (!wait_for(m_fd.get(), POLLOUT, Clock::now() + m_limit))
    return ETIMEDOUT;
  socklen_t length = sizeof error;
  ::getsockopt(m_fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

// A few bytes always fit into the buffer of a new socket.
bool Connection::send(std::span<const uint8_t> bytes) {
  return ::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

Received Connection::receive(std::chrono::milliseconds limit) {
  Received received;
  std::array<char, socks4::reply_size> bytes;
  const auto end = Clock::now() + limit;
  while (received.bytes.size() < bytes.size() && received.end == End::none) {
    const bool is_ready = wait_for(m_fd.get(), POLLIN, end);
    const ssize_t length = is_ready ? ::recv(m_fd.get(), bytes.data(), bytes.size() - received.bytes.size(), 0) : -1;
    if (length > 0)
      received.bytes.append(bytes.data(), static_cast<size_t>(length));
    else
      received.end = !is_ready ? End::silent : length == 0 ? End::closed : End::reset;
  }
  return received;
}

Endpoint Connection::local() const {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    return {};
  const auto known = IpPort::from(address.get(), address.length);
  return known ? known->endpoint() : Endpoint{};
}

} // namespace socksify::check
