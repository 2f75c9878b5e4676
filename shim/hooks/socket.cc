// SPDX-License-Identifier: MIT
// Every exported function, in the order of a socket's life. Each is a sentence: is this ours? then that verb;
// else REAL(x). Nothing else has C linkage. To hook one more call, write one more function here.
#include "calls/bind.h"
#include "calls/connect.h"
#include "config/config.h"
#include "handshake/deferred_error.h"
#include "handshake/pending.h"
#include "handshake/progress.h"
#include "handshake/server_choice.h"
#include "handshake/trace.h"
#include "kernel/real.h"
#include "names/datagrams.h"
#include <algorithm>
#include <cerrno>
#include <cstring>

using namespace socksify;

namespace {

int fail(int error) {
  errno = error;
  return -1;
}

// What a libc call returns for 0 or an errno. Success leaves errno alone.
int result(int error) { return error ? fail(error) : 0; }

// Writes our answer as the real call would.
int answer(Endpoint endpoint, int family, sockaddr* address, socklen_t* length, socklen_t room) {
  if (static_cast<int>(room) < 0)
    return fail(EINVAL);
  *length = room;
  SocketAddress{endpoint, family}.copy_to(address, length);
  return 0;
}

// True if this is the SOCKS server's address, or not enough of it to tell.
bool is_of_server(const sockaddr* address, socklen_t length, socklen_t room) {
  if (room < length)
    return true;
  if (address->sa_family == AF_UNIX)
    return servers::any_unix();
  const auto peer = IpPort::from(address, length);
  return peer && peer->ip.is_ipv4() && servers::includes(peer->endpoint());
}

// The port as the kernel knows it; nothing, with errno, if it does not say.
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
  const auto call = config().active ? accept_call(fd, flags) : std::nullopt;
  if (!call)
    return real_accept(fd, address, length, flags);
  if (call->error)
    return fail(call->error);
  if (address && length)
    SocketAddress{call->peer, call->family}.copy_to(address, length);
  return call->fd;
}

// SO_ERROR of a CONNECT that has failed.
std::optional<int> socket_error(int fd) {
  const auto socket = progress(fd);
  if (!socket || socket->state != State::failed)
    return std::nullopt;
  return deferred_error::consume(fd, sockets::identity(fd), *socket);
}

// SO_ERROR, SO_ACCEPTCONN and SO_RCVLOWAT where the kernel does not know; each is an int.
std::optional<int> known_option(int fd, int option) {
  if (option == SO_ERROR)
    return socket_error(fd);
  const auto socket = sockets::find_fd(fd);
  if (option == SO_ACCEPTCONN && socket && socket->is_waiting())
    return socket->is_listening;
  if (option == SO_RCVLOWAT && is_pending(socket))
    return static_cast<int>(socket->low_water_mark());
  if (option == SO_RCVLOWAT && socket && socket->awaits_call())
    return socket->kept_low_water_mark();
  if (socket && option == SO_DOMAIN)
    return socket->family;
  if (socket && option == SO_PROTOCOL)
    return IPPROTO_TCP;
  return std::nullopt;
}

bool is_known_option(int option) {
  return option == SO_ERROR || option == SO_ACCEPTCONN || option == SO_RCVLOWAT ||
         (servers::any_unix() && (option == SO_DOMAIN || option == SO_PROTOCOL));
}

// On a Unix socket that serves as one of TCP, options of TCP and IP are 0.
int without_meaning(int fd, int level, int result, void* value, socklen_t* length) {
  const bool may_be = result != 0 && errno == EOPNOTSUPP && level != SOL_SOCKET && servers::any_unix();
  if (!may_be || !sockets::find_fd(fd))
    return result;
  std::memset(value, 0, *length);
  return 0;
}

bool answers_option(int fd, int level, int option, void* value, socklen_t* length) {
  const bool may_be_ours = level == SOL_SOCKET && is_known_option(option) && !sockets::empty();
  const auto known = may_be_ours && value && length ? known_option(fd, option) : std::nullopt;
  if (!known)
    return false;
  *length = std::min<socklen_t>(*length, sizeof *known);
  std::memcpy(value, &*known, *length);
  return true;
}

} // namespace

HOOK int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  const auto requested = config().active ? IpPort::from(address, length) : std::nullopt;
  if (!requested || sockets::empty())
    return REAL(bind)(fd, address, length);
  if (const auto socket = progress(fd); socket && socket->is_waiting())
    return fail(EINVAL); // as for any socket that is bound
  if (remember_bind(fd, *requested, address->sa_family))
    return 0;
  if (requested->ip.is_ipv4() && sockets::is_reported(requested->ip.ipv4()))
    return result(bind_locally(fd, requested->endpoint(), address->sa_family));
  return REAL(bind)(fd, address, length);
}

HOOK int connect(int fd, const sockaddr* address, socklen_t length) {
  if (datagrams::is_refused(fd, address, length))
    return -1;
  const auto error = connect_to(fd, address, length, false);
  if (error)
    return result(*error);
  return trace::is_on() ? trace::connect_directly(fd, address, length) : REAL(connect)(fd, address, length);
}
HOOK int __connect(int fd, const sockaddr* address, socklen_t length) __attribute__((alias("connect")));

HOOK int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  auto socket = sockets::use(sockets::empty() ? 0 : sockets::identity(fd));
  const bool has_none = !socket || socket->state == State::pending || socket->state == State::failed;
  if (has_none || !address || !length)
    return REAL(getsockname)(fd, address, length);
  if (const int error = start_bind(fd, *socket))
    return fail(error);
  const auto port = socket->local.port ? socket->local.port : own_port(fd);
  if (!port)
    return -1;
  socket->local.port = *port;
  return answer(socket->local, socket->family, address, length, *length);
}

// Only what the kernel says is connected to the SOCKS server can be ours.
HOOK int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  const socklen_t room = length ? *length : 0;
  const int real = REAL(getpeername)(fd, address, length);
  if (real != 0 || sockets::empty() || !is_of_server(address, *length, room))
    return real;
  if (pending::any())
    progress(fd);
  const auto socket = sockets::use(sockets::identity(fd));
  if (socket && (socket->is_waiting() || socket->state == State::pending || socket->state == State::failed))
    return fail(ENOTCONN);
  const bool has_peer = socket && (socket->state == State::connected || socket->state == State::accepted);
  return has_peer ? answer(socket->peer, socket->family, address, length, room) : real;
}

HOOK int listen(int fd, int backlog) noexcept {
  if (!config().active || sockets::empty())
    return REAL(listen)(fd, backlog);
  auto socket = sockets::find_fd(fd);
  if (!socket && bind_by_listening(fd))
    socket = sockets::find_fd(fd);
  if (socket && socket->is_waiting())
    return result(start_listening(fd, *socket));
  return REAL(listen)(fd, backlog);
}

HOOK int accept(int fd, sockaddr* address, socklen_t* length) { return accept_any(fd, address, length, 0); }

HOOK int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return accept_any(fd, address, length, flags);
}

HOOK int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (answers_option(fd, level, option, value, length))
    return 0;
  return without_meaning(fd, level, REAL(getsockopt)(fd, level, option, value, length), value, length);
}

#if __TIMESIZE == 32 // what programs with a time of 64 bits call there
extern "C" int __getsockopt64(int fd, int level, int option, void* value, socklen_t* length) noexcept;

HOOK int __getsockopt64(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (answers_option(fd, level, option, value, length))
    return 0;
  return REAL(__getsockopt64)(fd, level, option, value, length);
}
#endif
