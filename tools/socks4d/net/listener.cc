// SPDX-License-Identifier: MIT
#include "socks4d/net/listener.h"
#include "socks4d/net/tcp.h"
#include <cstring>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace socks4d {
namespace {

Fd open_tcp(Endpoint endpoint) {
  Fd fd = make_socket();
  check("socket", fd.get());
  const int yes = 1; // a restart must not wait for the previous server's connections to leave TIME_WAIT
  check("setsockopt", ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
  listen_at(fd.get(), endpoint, SOMAXCONN);
  return fd;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd unix_socket() { return Fd(check("socket", ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))); }

// A killed server leaves its socket file behind, and nobody answers there.
bool is_left_behind(const sockaddr_un& address) {
  return ::connect(unix_socket().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

int bind_unix(int fd, const std::string& path) {
  const sockaddr_un address = unix_address(path);
  const auto bind = [&] { return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address); };
  const int result = bind();
  if (result == 0 || errno != EADDRINUSE)
    return result;
  if (is_left_behind(address) && ::unlink(path.c_str()) == 0)
    return bind();
  errno = EADDRINUSE;
  return result;
}

Fd open_unix(const std::string& path) {
  Fd fd = unix_socket();
  check("bind", bind_unix(fd.get(), path));
  check("listen", ::listen(fd.get(), SOMAXCONN));
  return fd;
}

} // namespace

Listener::Listener(const ListenAddress& address) try
    : m_fd(address.is_unix() ? open_unix(address.path) : open_tcp(address.endpoint)), m_address(address) {
  if (!is_unix())
    m_address.endpoint = local_endpoint(m_fd.get());
} catch (const Failure& failure) {
  throw Failure("cannot listen on " + address.text(), failure.code().value());
}

// At most 256 connections that sent data in their SYN may wait for the rest of their TCP handshake; others connect
// without Fast Open.
void Listener::enable_fast_open() const {
  constexpr int most = 256;
  if (!is_unix())
    check("setsockopt TCP_FASTOPEN", ::setsockopt(fd(), IPPROTO_TCP, TCP_FASTOPEN, &most, sizeof most));
}

// Unchecked: after --user the server may lack the permission.
Listener::~Listener() {
  if (m_fd && is_unix() && !m_is_inherited)
    ::unlink(m_address.path.c_str());
}

} // namespace socks4d
