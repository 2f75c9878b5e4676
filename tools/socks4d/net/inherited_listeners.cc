// SPDX-License-Identifier: MIT
// Socket activation: listening sockets that a service manager opened (sd_listen_fds(3)).
#include "socks4d/net/listener.h"
#include "socks4d/net/tcp.h"
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/un.h>

namespace socks4d {
namespace {

constexpr int first_inherited_fd = 3; // sd_listen_fds(3)

// A number from the environment; 0 if the variable is unset or not a number.
int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? static_cast<int>(parse_number(text, 1, 1 << 22).value_or(0)) : 0;
}

bool is_listening(int fd) {
  int yes = 0;
  socklen_t length = sizeof yes;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length) == 0 && yes;
}

ListenAddress address_of(int fd) {
  sockaddr_un address{};
  socklen_t length = sizeof address - 1; // leaves a NUL after the longest path
  check("getsockname", ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length));
  if (address.sun_family != AF_UNIX)
    return {local_endpoint(fd), {}};
  return {{}, address.sun_path[0] ? address.sun_path : "(unnamed)"};
}

// local_endpoint() has port 0 for other families.
bool is_usable(int fd) {
  if (!is_listening(fd))
    return false;
  const auto address = address_of(fd);
  return address.is_unix() || address.endpoint.port != 0;
}

} // namespace

Listener::Listener(Fd inherited) : m_fd(std::move(inherited)), m_address(address_of(m_fd.get())), m_is_inherited(true) {
  const int fd = m_fd.get();
  check("fcntl", ::fcntl(fd, F_SETFD, FD_CLOEXEC));
  check("fcntl", ::fcntl(fd, F_SETFL, check("fcntl", ::fcntl(fd, F_GETFL)) | O_NONBLOCK));
  if (!is_unix())
    prepare_socket(fd);
}

std::vector<Listener> Listener::inherited() {
  std::vector<Listener> listeners;
  if (number_in("LISTEN_PID") != ::getpid())
    return listeners;
  const int count = number_in("LISTEN_FDS");
  for (int fd = first_inherited_fd; fd < first_inherited_fd + count; ++fd) {
    if (!is_usable(fd))
      throw Failure(fmt::format("LISTEN_FDS: descriptor {} is not a listening TCP/IPv4 or Unix socket", fd), EINVAL);
    listeners.push_back(Listener(Fd(fd)));
  }
  return listeners;
}

} // namespace socks4d
