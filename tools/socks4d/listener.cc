// SPDX-License-Identifier: MIT
#include "socks4d/listener.h"
#include "common/system_call.h"
#include "socks4d/tcp.h"
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace socksify {
namespace {

constexpr int first_passed_fd = 3; // sd_listen_fds(3)
constexpr std::string_view unix_prefix = "unix:";
constexpr size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

Fd open_tcp(Endpoint endpoint) {
  Fd fd = make_socket();
  check("socket", fd.get());
  const int yes = 1; // a restart must not wait for the former server's connections to leave TIME_WAIT
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

// A server that was killed leaves its socket behind, where nobody answers any more.
bool is_left_behind(const sockaddr_un& address) {
  return ::connect(unix_socket().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

Fd open_unix(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  Fd fd = unix_socket();
  const auto bind = [&] { return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address); };
  int result = bind();
  if (result != 0 && errno == EADDRINUSE) {
    const bool is_free = is_left_behind(address) && ::unlink(path.c_str()) == 0;
    errno = EADDRINUSE;
    result = is_free ? bind() : result;
  }
  check("bind", result);
  check("listen", ::listen(fd.get(), SOMAXCONN));
  return fd;
}

// The number in a variable of the socket activation protocol; 0 if it is not set or not a number.
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
  socklen_t length = sizeof address - 1; // so that a path is always terminated
  check("getsockname", ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length));
  if (address.sun_family != AF_UNIX)
    return {local_endpoint(fd), {}};
  return {{}, address.sun_path[0] ? address.sun_path : "(unnamed)"};
}

} // namespace

std::optional<ListenAddress> ListenAddress::from(std::string_view text) {
  if (text.starts_with(unix_prefix)) {
    const auto path = text.substr(unix_prefix.size());
    if (!path.starts_with('/') || path.size() > longest_path)
      return std::nullopt;
    return ListenAddress{{}, std::string(path)};
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos)
    return std::nullopt;
  const auto ip = parse_ipv4(text.substr(0, colon));
  const auto port = parse_number(text.substr(colon + 1), 0, 65535);
  if (!ip || !port)
    return std::nullopt;
  return ListenAddress{{*ip, static_cast<uint16_t>(*port)}, {}};
}

std::string ListenAddress::text() const {
  return path.empty() ? std::string(to_text(endpoint).view()) : std::string(unix_prefix) + path;
}

Listener::Listener(const ListenAddress& address) try
    : m_fd(address.path.empty() ? open_tcp(address.endpoint) : open_unix(address.path)), m_address(address) {
  if (!is_unix())
    m_address.endpoint = local_endpoint(m_fd.get());
} catch (const Failure& failure) {
  throw Failure("cannot listen on " + address.text(), failure.code().value());
}

Listener::Listener(Fd passed) : m_fd(std::move(passed)), m_address(address_of(m_fd.get())), m_is_passed(true) {
  const int fd = m_fd.get();
  check("fcntl", ::fcntl(fd, F_SETFD, FD_CLOEXEC));
  check("fcntl", ::fcntl(fd, F_SETFL, check("fcntl", ::fcntl(fd, F_GETFL)) | O_NONBLOCK));
  if (!is_unix())
    prepare_socket(fd);
}

// So many connections whose SYN had data may be waiting for the rest of their handshake; others do without.
void Listener::let_open_fast() const {
  constexpr int most = 256;
  if (!is_unix())
    check("setsockopt TCP_FASTOPEN", ::setsockopt(fd(), IPPROTO_TCP, TCP_FASTOPEN, &most, sizeof most));
}

// Unchecked: having become another user, the server may not be allowed to.
Listener::~Listener() {
  if (m_fd && is_unix() && !m_is_passed)
    ::unlink(m_address.path.c_str());
}

std::vector<Listener> Listener::passed() {
  std::vector<Listener> listeners;
  if (number_in("LISTEN_PID") != ::getpid())
    return listeners;
  const int count = number_in("LISTEN_FDS");
  for (int fd = first_passed_fd; fd < first_passed_fd + count; ++fd) {
    const bool fits = is_listening(fd) && (address_of(fd).endpoint.port != 0 || !address_of(fd).path.empty());
    if (!fits)
      throw Failure(fmt::format("LISTEN_FDS: descriptor {} is not a listening socket of TCP over IPv4 or Unix", fd),
                    EINVAL);
    listeners.push_back(Listener(Fd(fd)));
  }
  return listeners;
}

} // namespace socksify
