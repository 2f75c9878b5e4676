// SPDX-License-Identifier: MIT
// The second reply of a BIND. The connection gets a new fd, and the listening fd gets a dummy listener, which nobody
// can call.
#include "base/fd.h"
#include "base/socks4.h"
#include "calls/bind.h"
#include "handshake/exchange.h"
#include "handshake/trace.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include "kernel/tcp.h"
#include "names/fake_ips.h"
#include "sockets/readiness.h"
#include "sockets/replace.h"
#include <cerrno>
#include <fcntl.h>
#include <linux/tcp.h>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

namespace socksify {
namespace {

using ReplyBytes = std::array<uint8_t, socks4::reply_size>;

// True for an errno of recv() after which the connection is still there.
bool is_temporary(int error) { return error == EAGAIN || error == EINTR || error == ENOMEM || error == ENOBUFS; }

// Waits for the second reply without receiving it. Because this is a plain recv() on the program's own socket, it
// blocks, times out, is interrupted and restarted exactly as accept() would be. 0 or an errno.
int await_reply(int fd) {
  ReplyBytes bytes;
  const Deadline limit = sockopts::receive_deadline(fd);
  const ssize_t got = REAL(recv)(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_WAITALL);
  if (got < 0 && is_temporary(errno))
    return errno;
  const bool is_whole = static_cast<size_t>(got) == bytes.size();
  pollfd hung_up{fd, POLLRDHUP, 0};
  if (is_whole || got <= 0 || REAL(poll)(&hung_up, 1, 0) > 0)
    return 0; // the end of the connection is an answer, too
  // A blocking recv() that returns a part of the reply does not show whether it timed out or was interrupted.
  return limit.left() == 0 || fcntl(fd, F_GETFL) & O_NONBLOCK ? EAGAIN : EINTR;
}

// Receives the second reply; none if it is incomplete or malformed. 0; or an errno, and the reply is still there.
int receive_reply(int fd, std::optional<socks4::Reply>& reply) {
  ReplyBytes bytes;
  const ssize_t got = REAL(recv)(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && is_temporary(errno))
    return errno;
  if (got == static_cast<ssize_t>(bytes.size()))
    reply = socks4::parse_reply(bytes);
  return 0;
}

// A real listening socket that nobody can call: it accepts only packets with the highest time to live, which have
// crossed no router, and this host sends none like that to itself unless a program asks for it. (A filter that drops
// all packets would do as well, but needs privileges on some kernels.)
Fd make_dummy_listener(int family) {
  Fd fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    return fd;
  const int highest = 255;
  const SocketAddress loopback{{INADDR_LOOPBACK, 0}, family};
  if (REAL(setsockopt)(fd.get(), IPPROTO_IP, IP_MINTTL, &highest, sizeof highest) != 0 ||
      REAL(bind)(fd.get(), loopback.get(), loopback.length) != 0 || REAL(listen)(fd.get(), 1) != 0)
    fd.reset();
  return fd;
}

// Replaces the listening socket by the dummy listener, with these status flags: on its number and its dups, but not on
// `connection`.
bool replace_by_dummy(int listening, const Fd& dummy, int status_flags, const Socket& socket, int connection = -1) {
  fcntl(dummy.get(), F_SETFL, status_flags);
  if (const int program = socket.as<AwaitingCall>().low_water_mark; program > 1)
    set_low_water_mark(dummy.get(), program);
  if (replace_socket(listening, dummy, connection) != 0)
    return false;
  return sockets::remember(sockets::identity(listening), transitions::dummy_of(socket, listening));
}

// Makes the connection what accept4() returns. It has its own O_NONBLOCK, and not the listening socket's. 0 or an
// errno.
int prepare_connection(int fd, const Socket& socket, Endpoint peer, int status_flags, bool nonblocking) {
  set_low_water_mark(fd, socket.as<AwaitingCall>().low_water_mark);
  fcntl(fd, F_SETFL, nonblocking ? status_flags | O_NONBLOCK : status_flags & ~O_NONBLOCK);
  return sockets::remember(sockets::identity(fd), transitions::call_of(socket, fd, peer)) ? 0 : ENOBUFS;
}

// Who called. The server has checked that it is the primary's host. If the program knows that by a fake IP, it gets the
// fake IP here, too, because some programs compare the two.
Endpoint caller(const socks4::Reply& reply, Endpoint primary) {
  if (fake_ips::is_fake_ip(primary.ip))
    return {primary.ip, reply.endpoint.port ? reply.endpoint.port : primary.port};
  return reply.endpoint.ip ? reply.endpoint : primary;
}

// The two descriptors that a call takes. Made before the reply is received: without a free descriptor the reply has to
// stay for a later accept().
struct Descriptors {
  Fd connection, dummy;
  const int error; // why one is missing

  Descriptors(int listening, const Socket& socket, int flags)
      : connection(fcntl(listening, flags & SOCK_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0)),
        dummy(connection ? make_dummy_listener(socket.family) : Fd{}), error(dummy ? 0 : errno) {}
};

// The reply was received: call.fd becomes the connection, or call.error says why not.
void finish_call(const std::optional<socks4::Reply>& reply, Fd& connection, const Socket& socket, int status_flags,
                 int flags, Call& call) {
  const AwaitingCall& awaiting = socket.as<AwaitingCall>();
  if (!reply || !reply->granted()) {
    trace::call_failed(awaiting.primary, awaiting.local, reply.has_value());
    call.error = ECONNABORTED;
    return;
  }
  call.peer = caller(*reply, awaiting.primary);
  call.error = prepare_connection(connection.get(), socket, call.peer, status_flags, flags & SOCK_NONBLOCK);
  if (call.error)
    return;
  call.fd = connection.release();
  trace::call_accepted(call.peer, awaiting.local, call.fd);
}

// The reply is there, and only this thread may receive it.
void accept_reply(int listening, const Socket& socket, int flags, Call& call) {
  Descriptors own{listening, socket, flags};
  const int status_flags = fcntl(listening, F_GETFL);
  std::optional<socks4::Reply> reply;
  call.error = own.error ? own.error : receive_reply(own.connection.get(), reply);
  if (call.error) {
    sockets::transition(sockets::identity(listening), State::accepting, socket);
    return;
  }
  replace_by_dummy(listening, own.dummy, status_flags, socket, own.connection.get());
  finish_call(reply, own.connection, socket, status_flags, flags, call);
}

// The number of bytes to read. Without SO_OOBINLINE the kernel counts only up to an urgent one.
int unread_bytes(int fd) {
  const int yes = 1;
  int before = 0, unread = 0;
  socklen_t length = sizeof before;
  REAL(getsockopt)(fd, SOL_SOCKET, SO_OOBINLINE, &before, &length);
  REAL(setsockopt)(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes);
  REAL(ioctl)(fd, FIONREAD, &unread);
  REAL(setsockopt)(fd, SOL_SOCKET, SO_OOBINLINE, &before, sizeof before);
  return unread;
}

// True if a child or the parent has accepted this call: more bytes were received here than the first reply. Bytes that
// arrive between the two questions make the difference smaller, even negative, but never larger.
bool is_accepted_elsewhere(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  return forks::may_share() && REAL(getsockopt)(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         static_cast<int64_t>(info.tcpi_bytes_received) - unread_bytes(fd) >= int64_t{2 * socks4::reply_size};
}

// Another process has accepted the call, so the dummy listener replaces the listening socket here, too. EALREADY; or
// why that fails.
int replace_accepted(int fd, const Socket& socket) {
  const Uninterrupted whole;
  const Fd dummy = make_dummy_listener(socket.family);
  const int status_flags = fcntl(fd, F_GETFL) | (socket.as<AwaitingCall>().is_nonblocking ? O_NONBLOCK : 0);
  return dummy && replace_by_dummy(fd, dummy, status_flags, socket) ? EALREADY : errno;
}

// 0 if the reply is there; else an errno. EALREADY: the socket has changed.
int find_reply(int fd, const Socket& socket, int flags) {
  KeepErrno keep;
  if (!socket.is_listening_bind() || flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
    return EINVAL;
  // Checked before the wait, so that it does not wait for bytes of the accepted connection, and again after it, because
  // the wait may be long.
  if (is_accepted_elsewhere(fd))
    return replace_accepted(fd, socket);
  const int error = await_reply(fd);
  if (const auto now = sockets::lookup_fd(fd); now && now->is<Bound>())
    return EALREADY; // shutdown() has ended it
  if (error)
    return error;
  if (is_accepted_elsewhere(fd))
    return replace_accepted(fd, socket);
  return 0;
}

// Receives the reply, unless another thread does: EALREADY. 0 or an errno.
int take_call(int fd, const Socket& socket, int flags, Call& call) {
  KeepErrno keep;
  const Uninterrupted whole;
  const Socket accepting = transitions::being_accepted(socket);
  if (!sockets::transition(sockets::identity(fd), State::listening, accepting))
    return EALREADY;
  accept_reply(fd, socket, flags, call);
  readiness::recount();
  return call.error;
}

} // namespace

// Another thread that accepts this call is done at once, but may not run at once on a busy machine.
std::optional<Call> accept_call(int fd, int flags) {
  constexpr int patience = 10'000;
  for (int attempt = 0; attempt < patience; ++attempt) {
    const auto socket = sockets::lookup_fd(fd);
    if (!socket || !socket->is_bind())
      return std::nullopt;
    Call call{.fd = -1, .error = find_reply(fd, *socket, flags), .family = socket->family};
    if (!call.error)
      call.error = take_call(fd, *socket, flags, call);
    if (call.error != EALREADY)
      return call;
    sched_yield();
  }
  return Call{.fd = -1, .error = ECONNABORTED, .family = AF_INET};
}

} // namespace socksify
