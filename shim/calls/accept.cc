// SPDX-License-Identifier: MIT
// The second reply of a BIND, and what becomes of the two sockets: the connection gets a new fd, the
// listening fd a stand-in that no one can call.
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

// An errno of recv() with which the connection goes on. All others are its end.
bool is_passing(int error) { return error == EAGAIN || error == EINTR || error == ENOMEM || error == ENOBUFS; }

// Waits for the second reply and leaves it where it is. As a plain recv() of the program's own socket, it
// blocks or does not, times out, is interrupted and restarted exactly as accept() would be. 0 or an errno.
int await_reply(int fd) {
  ReplyBytes bytes;
  const Deadline limit = sockopts::receive_deadline(fd);
  const ssize_t got = REAL(recv)(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_WAITALL);
  if (got < 0 && is_passing(errno))
    return errno;
  const bool is_whole = static_cast<size_t>(got) == bytes.size();
  pollfd hung_up{fd, POLLRDHUP, 0};
  if (is_whole || got <= 0 || REAL(poll)(&hung_up, 1, 0) > 0)
    return 0; // the end of the connection is an answer, too
  // With a part of the reply there, a recv() that blocks does not say whether its time was over or a signal came.
  return limit.left() == 0 || fcntl(fd, F_GETFL) & O_NONBLOCK ? EAGAIN : EINTR;
}

// Takes the second reply off the connection; none if there is no whole one or it makes no sense. 0, or an errno with
// which it is still there.
int take_reply(int fd, std::optional<socks4::Reply>& reply) {
  ReplyBytes bytes;
  const ssize_t got = REAL(recv)(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && is_passing(errno))
    return errno;
  if (got == static_cast<ssize_t>(bytes.size()))
    reply = socks4::parse_reply(bytes);
  return 0;
}

// A real listening socket that nobody can reach: it hears only packets that have come over no router with the highest
// time to live, and none is sent so unless a program of this host asks for it. (A filter that drops all packets would
// do as well, but takes privileges on some kernels.)
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

// Puts the stand-in, with these status flags, in the place of the listening socket: on its number, and on those of its
// dups, but not on that of the connection.
bool replace(int listening, const Fd& dummy, int status_flags, const Socket& socket, int connection = -1) {
  fcntl(dummy.get(), F_SETFL, status_flags);
  if (socket.kept_low_water_mark() > 1)
    set_low_water_mark(dummy.get(), socket.kept_low_water_mark());
  if (replace_socket(listening, dummy, connection) != 0)
    return false;
  const Socket silent{.state = State::dummy_listener, .family = socket.family, .fd = listening, .local = socket.local};
  return sockets::remember(sockets::identity(listening), silent);
}

// The connection as accept4() returns it: O_NONBLOCK is its own and not the listening socket's. 0 or an
// errno.
int hand_over(int fd, const Socket& socket, Endpoint peer, int status_flags, bool nonblocking) {
  set_low_water_mark(fd, socket.kept_low_water_mark());
  fcntl(fd, F_SETFL, nonblocking ? status_flags | O_NONBLOCK : status_flags & ~O_NONBLOCK);
  const Socket accepted{.state = State::accepted,
                        .family = socket.family,
                        .server = socket.server,
                        .fd = fd,
                        .peer = peer,
                        .local = socket.local};
  return sockets::remember(sockets::identity(fd), accepted) ? 0 : ENOBUFS;
}

// The server has checked that the primary's host calls, which the program knows by its stand-in: some compare the two.
Endpoint caller(const socks4::Reply& reply, const Socket& socket) {
  const Endpoint& primary = socket.primary();
  if (fake_ips::is_fake_ip(primary.ip))
    return {primary.ip, reply.endpoint.port ? reply.endpoint.port : primary.port};
  return reply.endpoint.ip ? reply.endpoint : primary;
}

// The reply is there and ours alone to take: call.fd becomes the connection, or call.error says why not.
void take_call(int listening, const Socket& socket, int flags, Call& call) {
  KeepErrno keep;
  // Both first: when there is no fd left, the reply has to stay for a later accept().
  Fd connection{fcntl(listening, flags & SOCK_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0)};
  const Fd dummy = connection ? make_dummy_listener(socket.family) : Fd{};
  if (!dummy) {
    call.error = errno;
    sockets::transition(sockets::identity(listening), State::accepting, socket);
    return;
  }
  const int status_flags = fcntl(listening, F_GETFL);
  std::optional<socks4::Reply> reply;
  if (const int error = take_reply(connection.get(), reply)) {
    call.error = error;
    sockets::transition(sockets::identity(listening), State::accepting, socket);
    return;
  }
  replace(listening, dummy, status_flags, socket, connection.get());
  if (!reply || !reply->granted()) {
    trace::call_failed(socket.primary(), socket.local, reply.has_value());
    call.error = ECONNABORTED;
    return;
  }
  call.peer = caller(*reply, socket);
  const int error = hand_over(connection.get(), socket, call.peer, status_flags, flags & SOCK_NONBLOCK);
  if (error) {
    call.error = error;
    return;
  }
  call.fd = connection.release();
  trace::call_accepted(call.peer, socket.local, call.fd);
}

// How many bytes wait to be read. Without SO_OOBINLINE the kernel counts only up to an urgent one.
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

// True if a child or the parent has taken this call: more bytes have been read here than the first reply. What arrives
// between the two questions makes the difference smaller than it is, and even negative; never larger.
bool is_taken_elsewhere(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  return forks::may_share() && REAL(getsockopt)(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         static_cast<int64_t>(info.tcpi_bytes_received) - unread_bytes(fd) >= int64_t{2 * socks4::reply_size};
}

// EALREADY: here, too, the listening socket is now one that has been called; or why it cannot be.
int give_up(int fd, const Socket& socket) {
  const Fd dummy = make_dummy_listener(socket.family);
  const int status_flags = fcntl(fd, F_GETFL) | (socket.is_nonblocking ? O_NONBLOCK : 0);
  return dummy && replace(fd, dummy, status_flags, socket) ? EALREADY : errno;
}

// 0 if the reply is there and this thread's to take; else an errno.
int claim_reply(int fd, const Socket& socket, int flags) {
  KeepErrno keep;
  if (!socket.is_listening || flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
    return EINVAL;
  // Before, so that what the connection has to say is not waited for; and after, because it may have been a long wait.
  if (is_taken_elsewhere(fd))
    return give_up(fd, socket);
  const int error = await_reply(fd);
  if (const auto now = sockets::find_fd(fd); now && now->state == State::bound)
    return EALREADY; // shutdown() has ended it
  if (error)
    return error;
  if (is_taken_elsewhere(fd))
    return give_up(fd, socket);
  Socket accepting = socket;
  accepting.state = State::accepting;
  return sockets::transition(sockets::identity(fd), State::listening, accepting) ? 0 : EALREADY;
}

} // namespace

std::optional<Call> accept_call(int fd, int flags) {
  for (;;) {
    const auto socket = sockets::find_fd(fd);
    if (!socket || !socket->is_waiting())
      return std::nullopt;
    const int error = claim_reply(fd, *socket, flags);
    if (error == EALREADY) {
      sched_yield(); // someone else is taking this call: the stand-in is here or will be in a moment
      continue;
    }
    Call call{.fd = -1, .error = error, .family = socket->family};
    if (!error) {
      take_call(fd, *socket, flags, call);
      readiness::recount();
    }
    return call;
  }
}

} // namespace socksify
