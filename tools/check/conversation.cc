// SPDX-License-Identifier: MIT
#include "check/conversation.h"
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

namespace socksify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t enough = 8;

bool wait_for(int fd, short event, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd one{fd, event, 0};
    const int ready = left > 0 ? ::poll(&one, 1, static_cast<int>(left)) : 0;
    if (ready >= 0 || errno != EINTR)
      return ready > 0;
  }
}

} // namespace

int Conversation::connect(const Place& place) {
  const bool is_unix = !place.path.empty();
  m_fd = Fd(::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!m_fd)
    return errno;
  SocketAddress address(place.endpoint, AF_INET);
  sockaddr_un path{AF_UNIX, {}};
  if (place.path.size() >= sizeof path.sun_path)
    return ENAMETOOLONG;
  std::memcpy(path.sun_path, place.path.c_str(), place.path.size());
  const auto* const target = is_unix ? reinterpret_cast<const sockaddr*>(&path) : address.get();
  if (::connect(m_fd.get(), target, is_unix ? sizeof path : address.length) == 0)
    return 0;
  if (errno != EINPROGRESS)
    return errno;
  if (!wait_for(m_fd.get(), POLLOUT, Clock::now() + m_limit))
    return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(m_fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

// So little always fits into a fresh socket's buffer.
bool Conversation::say(std::span<const uint8_t> bytes) {
  return ::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

Heard Conversation::hear(std::chrono::milliseconds limit) {
  Heard heard;
  const auto end = Clock::now() + limit;
  while (heard.bytes.size() < enough) {
    if (!wait_for(m_fd.get(), POLLIN, end)) {
      heard.end = End::silent;
      break;
    }
    std::array<char, enough> bytes;
    const ssize_t length = ::recv(m_fd.get(), bytes.data(), enough - heard.bytes.size(), 0);
    if (length <= 0) {
      heard.end = length == 0 ? End::closed : End::reset;
      break;
    }
    heard.bytes.append(bytes.data(), static_cast<size_t>(length));
  }
  return heard;
}

Endpoint Conversation::local() const {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    return {};
  const auto known = IpPort::from(address.get(), address.length);
  return known ? known->endpoint() : Endpoint{};
}

} // namespace socksify
