// SPDX-License-Identifier: MIT
// bind(), connect(), listen(), accept() and the calls that ask about a socket. As everywhere in hooks/, a function is a
// sentence: is this ours? then do that; else REAL(x). To hook one more call, write one more such function.
#include "base/fd.h"
#include "calls/bind.h"
#include "calls/connect.h"
#include "calls/datagrams.h"
#include "calls/options.h"
#include "config/config.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "handshake/trace.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include <cerrno>
#include <cstring>

using namespace socksify;

namespace {

// Stores an address where the kernel has just stored one. `size`: what *length was before.
int replace_address(Endpoint endpoint, int family, sockaddr* address, socklen_t* length, socklen_t size) {
  *length = size;
  SocketAddress{endpoint, family}.copy_to(address, length);
  return 0;
}

// Stores an address as the real call would. The kernel goes first, because the pointers may be bad.
int store_address(int fd, Endpoint endpoint, int family, sockaddr* address, socklen_t* length) {
  const socklen_t size = is_readable(length) ? *length : 0;
  if (REAL(getsockname)(fd, address, length) != 0)
    return -1;
  return replace_address(endpoint, family, address, length, size);
}

// True if this is the SOCKS server's address, or too short to tell.
bool is_of_server(const sockaddr* address, socklen_t length, socklen_t size) {
  if (size < length)
    return true;
  if (address->sa_family == AF_UNIX)
    return servers::any_unix();
  const auto peer = IpPort::from(address, length);
  return peer && peer->ip.is_ipv4() && servers::includes(peer->endpoint());
}

// The port in the kernel; nothing, with errno, if getsockname() fails.
std::optional<uint16_t> own_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (REAL(getsockname)(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return std::nullopt;
  const auto found = IpPort::from(reinterpret_cast<sockaddr*>(&address), length);
  return found ? found->port : uint16_t{0};
}

int real_accept(int fd, sockaddr* address, socklen_t* length, int flags) {
  return flags ? REAL(accept4)(fd, address, length, flags) : REAL(accept)(fd, address, length);
}

int accept_any(int fd, sockaddr* address, socklen_t* length, int flags) {
  const auto call = is_active() ? accept_call(fd, flags) : std::nullopt;
  if (!call)
    return real_accept(fd, address, length, flags);
  if (call->error)
    return fail(call->error);
  if (!address || store_address(call->fd, call->peer, call->family, address, length) == 0)
    return call->fd;
  const KeepErrno keep;
  close(call->fd); // as the kernel does
  return -1;
}

} // namespace

HOOK int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  const bool may_be_ours = is_active() && !sockets::empty() && is_readable(address, length);
  const auto requested = may_be_ours ? IpPort::from(address, length) : std::nullopt;
  if (!requested)
    return REAL(bind)(fd, address, length);
  if (const auto socket = progress(fd); socket && socket->is_bind()) {
    if (!socket->is<Bound>() || !socket->as<Bound>().may_be_bound_again())
      return fail(EINVAL); // as for any socket that is bound
    sockets::forget(sockets::identity(fd));
  }
  if (remember_bind(fd, *requested, address->sa_family))
    return 0;
  if (requested->ip.is_ipv4() && sockets::is_reported(requested->ip.ipv4()))
    return returned(bind_locally(fd, requested->endpoint(), address->sa_family));
  return REAL(bind)(fd, address, length);
}

HOOK int connect(int fd, const sockaddr* address, socklen_t length) {
  if (datagrams::is_connect_refused(fd, address, length))
    return -1;
  return answered(connect_to(fd, address, length, Mode::like_socket), [&] {
    return trace::is_on() ? trace::connect_directly(fd, address, length) : REAL(connect)(fd, address, length);
  });
}
HOOK int __connect(int fd, const sockaddr* address, socklen_t length) __attribute__((alias("connect")));

HOOK int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  if (any_connecting())
    progress(fd); // the reply, which has our address, may be there
  auto socket = sockets::lookup_used(sockets::empty() ? 0 : sockets::identity(fd));
  if (!socket || !address || !length)
    return REAL(getsockname)(fd, address, length);
  if (const int error = socket->local() ? 0 : start_bind(fd, *socket))
    return fail(error);
  learn_address(fd, *socket);
  const auto local = socket->local();
  if (!local)
    return REAL(getsockname)(fd, address, length);
  const auto port = local->port ? local->port : own_port(fd);
  return port ? store_address(fd, {local->ip, *port}, socket->family, address, length) : -1;
}

// Only a socket that the kernel says is connected to the SOCKS server can be ours.
HOOK int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  if (sockets::empty())
    return REAL(getpeername)(fd, address, length);
  const socklen_t size = is_readable(length) ? *length : 0;
  const int real = REAL(getpeername)(fd, address, length);
  if (real == 0 ? !is_of_server(address, *length, size) : errno != EFAULT)
    return real;
  if (any_connecting())
    progress(fd);
  const auto socket = sockets::lookup_used(sockets::identity(fd));
  if (socket && (socket->is_bind() || socket->is<Pending>() || socket->is<Failed>()))
    return fail(ENOTCONN);
  const auto peer = socket ? socket->peer() : std::nullopt;
  return real == 0 && peer ? replace_address(*peer, socket->family, address, length, size) : real;
}

HOOK int listen(int fd, int backlog) noexcept {
  if (!is_active() || sockets::empty())
    return REAL(listen)(fd, backlog);
  auto socket = sockets::lookup_fd(fd);
  if (!socket && bind_by_listening(fd))
    socket = sockets::lookup_fd(fd);
  if (socket && socket->is_bind())
    return returned(start_listening(fd, *socket));
  return REAL(listen)(fd, backlog);
}

HOOK int accept(int fd, sockaddr* address, socklen_t* length) { return accept_any(fd, address, length, 0); }

HOOK int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return accept_any(fd, address, length, flags);
}

// TCP and IP options of a Unix socket in place of a TCP socket are 0.
HOOK int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (const Outcome ours = options::get(fd, level, option, value, length); ours.is_ours())
    return returned(ours.error());
  const int result = REAL(getsockopt)(fd, level, option, value, length);
  if (!options::is_meaningless(fd, level, result))
    return result;
  std::memset(value, 0, is_readable(length) && is_readable(value, *length) ? *length : 0);
  return 0;
}
