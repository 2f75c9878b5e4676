// SPDX-License-Identifier: MIT
// The exported functions that move data. On a socket whose CONNECT is on its way they act as on one that is
// connecting: EAGAIN, or wait. On one that waits for a call by a BIND they fail as on any listening socket. With
// nothing of either kind, which is a few loads to know, each is a jump to the real one.
#include "bind.h"
#include "config.h"
#include "connect.h"
#include "failure.h"
#include "leak.h"
#include "listener.h"
#include "options.h"
#include "pending.h"
#include "real.h"
#include "settle.h"
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

using namespace socksify;

extern "C" {
ssize_t __read_chk(int fd, void* buffer, size_t size, size_t room);
ssize_t __recv_chk(int fd, void* buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void* __restrict buffer, size_t size, size_t room, int flags,
                       sockaddr* __restrict address, socklen_t* __restrict length);
#if __TIMESIZE == 32 // what programs with a time of 64 bits call there
struct timespec64;
ssize_t __recvmsg64(int fd, msghdr* message, int flags);
int __recvmmsg64(int fd, mmsghdr* messages, unsigned count, int flags, timespec64* timeout);
ssize_t __sendmsg64(int fd, const msghdr* message, int flags);
int __sendmmsg64(int fd, mmsghdr* messages, unsigned count, int flags);
int __ioctl_time64(int fd, unsigned long request, ...) noexcept;
int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept;
#endif
}

namespace {

// The answer to a call that comes too early, or first after a failure, with errno set; 0: it does neither.
[[gnu::noinline]] int await_or_fail(int fd, int flags, Limit limit) {
  int error = await_connection(fd, !(flags & MSG_DONTWAIT), limit);
  if (!error)
    error = failure::take_for_data(fd);
  if (error)
    errno = error;
  return error ? -1 : 0;
}

// True if this is the socket of a BIND, on which all bytes are the SOCKS server's and ours.
bool awaits_call(int fd) {
  const auto socket = listener::any() ? sockets::find_fd(fd) : std::nullopt;
  const bool is_so = socket && socket->awaits_call();
  if (!is_so && listener::any())
    listener::note_miss();
  return is_so;
}

// Urgent bytes and the error queue are not the handshake's.
[[gnu::noinline]] int fail_to_receive(int fd, int flags) {
  if (!(flags & MSG_ERRQUEUE) && awaits_call(fd)) {
    errno = ENOTCONN;
    return -1;
  }
  return flags & (MSG_OOB | MSG_ERRQUEUE) ? 0 : await_or_fail(fd, flags, options::receive_deadline);
}

// The kernel's way to say that a socket is not connected.
[[gnu::noinline]] int fail_to_send(int fd, int flags) {
  if (!awaits_call(fd))
    return await_or_fail(fd, flags, options::send_deadline);
  if (!(flags & MSG_NOSIGNAL))
    raise(SIGPIPE);
  errno = EPIPE;
  return -1;
}

bool is_to_ask() { return pending::any() || listener::any() || failure::any(); }
int too_early_to_receive(int fd, int flags = 0) { return is_to_ask() ? fail_to_receive(fd, flags) : 0; }
int too_early_to_send(int fd, int flags = 0) { return is_to_ask() ? fail_to_send(fd, flags) : 0; }

// The kernel does not even ask a socket, then.
bool is_nothing(const iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; parts && i < count; ++i)
    size |= parts[i].iov_len;
  return size == 0;
}

int too_early_to_receive(int fd, const iovec* parts, int count, int flags = 0) {
  return is_to_ask() && !is_nothing(parts, count) ? fail_to_receive(fd, flags) : 0;
}

int too_early_to_send(int fd, const iovec* parts, int count, int flags = 0) {
  return is_to_ask() && !is_nothing(parts, count) ? fail_to_send(fd, flags) : 0;
}

// MSG_FASTOPEN with an address: connect and send. 0: connected, and the data can go; -1: not, with errno; nothing: not
// ours.
std::optional<int> connect_to_send(int fd, const void* address, socklen_t length, int flags) {
  if (!(flags & MSG_FASTOPEN) || !address)
    return std::nullopt;
  const auto error = connect_to(fd, static_cast<const sockaddr*>(address), length, flags & MSG_DONTWAIT);
  if (!error || *error == 0)
    return error;
  errno = *error;
  return -1;
}

int wait_flag(int flags) { return flags & RWF_NOWAIT ? MSG_DONTWAIT : 0; }

msghdr without_address(msghdr message) {
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  return message;
}

bool is_refused(int fd, const msghdr& message) { return leak::is_refused(fd, message.msg_name, message.msg_namelen); }

ssize_t send_message(int fd, const msghdr* message, int flags) {
  if (message && is_refused(fd, *message))
    return -1;
  if (message && message->msg_name)
    if (const auto connected = connect_to_send(fd, message->msg_name, message->msg_namelen, flags)) {
      const msghdr rest = without_address(*message);
      return *connected ? -1 : REAL(sendmsg)(fd, &rest, flags & ~MSG_FASTOPEN);
    }
  return too_early_to_send(fd, flags) ? -1 : REAL(sendmsg)(fd, message, flags);
}

// How many may be sent; the kernel, too, stops at the first that it does not send.
unsigned not_refused(int fd, const mmsghdr* messages, unsigned count) {
  unsigned sound = 0;
  while (messages && sound < count && !is_refused(fd, messages[sound].msg_hdr))
    ++sound;
  return messages ? sound : count;
}

// The first message makes the connection; how many were sent counts, and the rest may wait for another call.
int send_messages(int fd, mmsghdr* messages, unsigned count, int flags) {
  if ((flags & MSG_FASTOPEN) && messages && count) {
    const ssize_t sent = send_message(fd, &messages->msg_hdr, flags);
    if (sent >= 0)
      messages->msg_len = static_cast<unsigned>(sent);
    return sent < 0 ? -1 : 1;
  }
  if (too_early_to_send(fd, flags))
    return -1;
  const int before = errno;
  const unsigned sound = not_refused(fd, messages, count);
  if (sound == 0 && count)
    return -1;
  errno = before;
  return REAL(sendmmsg)(fd, messages, sound, flags);
}

// FIONREAD while a CONNECT is on its way, or a BIND waits for its call: what comes is the handshake's.
std::optional<int> count_for(int fd, unsigned long request, void* argument) {
  if (request != FIONREAD || !argument || sockets::empty())
    return std::nullopt;
  const auto socket = settle_fd(fd);
  if (!socket || !(is_pending(socket) || socket->is_waiting()))
    return std::nullopt;
  if (socket->is_waiting() && socket->is_listening) {
    errno = EINVAL; // as for any listening socket
    return -1;
  }
  *static_cast<int*>(argument) = 0;
  return 0;
}

// SO_RCVLOWAT while a CONNECT is on its way, or a BIND waits for its call.
bool is_set_later(int fd, int level, int option, const void* value, socklen_t length) {
  return level == SOL_SOCKET && option == SO_RCVLOWAT && is_to_ask() && value && length >= sizeof(int) &&
         set_low_water_mark_later(fd, *static_cast<const int*>(value));
}

// After shutdown() the kernel, too, says EISCONN to the connect() that would have been told of the connection.
void end_news(int fd, Socket socket) {
  socket.is_news = false;
  sockets::replace(sockets::identity(fd), State::connected, socket);
}

int noted(int level, int option, int result) {
  if (result == 0)
    options::note(level, option);
  return result;
}

} // namespace

HOOK ssize_t read(int fd, void* buffer, size_t size) {
  return size && too_early_to_receive(fd) ? -1 : REAL(read)(fd, buffer, size);
}
HOOK ssize_t __read(int fd, void* buffer, size_t size) __attribute__((alias("read")));

HOOK ssize_t __read_chk(int fd, void* buffer, size_t size, size_t room) {
  return size && too_early_to_receive(fd) ? -1 : REAL(__read_chk)(fd, buffer, size, room);
}

HOOK ssize_t readv(int fd, const iovec* parts, int count) {
  return too_early_to_receive(fd, parts, count) ? -1 : REAL(readv)(fd, parts, count);
}

// On a socket, with offset -1, these are readv() and writev() with flags.
HOOK ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return too_early_to_receive(fd, parts, count, wait_flag(flags)) ? -1 : REAL(preadv2)(fd, parts, count, offset, flags);
}

HOOK ssize_t preadv64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return too_early_to_receive(fd, parts, count, wait_flag(flags)) ? -1
                                                                  : REAL(preadv64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return too_early_to_send(fd, parts, count, wait_flag(flags)) ? -1 : REAL(pwritev2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return too_early_to_send(fd, parts, count, wait_flag(flags)) ? -1
                                                               : REAL(pwritev64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(recv)(fd, buffer, size, flags);
}

HOOK ssize_t __recv_chk(int fd, void* buffer, size_t size, size_t room, int flags) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(__recv_chk)(fd, buffer, size, room, flags);
}

HOOK ssize_t recvfrom(int fd, void* __restrict buffer, size_t size, int flags, sockaddr* __restrict address,
                      socklen_t* __restrict length) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(recvfrom)(fd, buffer, size, flags, address, length);
}

HOOK ssize_t __recvfrom_chk(int fd, void* __restrict buffer, size_t size, size_t room, int flags,
                            sockaddr* __restrict address, socklen_t* __restrict length) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(__recvfrom_chk)(fd, buffer, size, room, flags, address, length);
}

HOOK ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(recvmsg)(fd, message, flags);
}

HOOK int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(recvmmsg)(fd, messages, count, flags, timeout);
}

HOOK ssize_t write(int fd, const void* buffer, size_t size) {
  return too_early_to_send(fd) ? -1 : REAL(write)(fd, buffer, size);
}
HOOK ssize_t __write(int fd, const void* buffer, size_t size) __attribute__((alias("write")));

HOOK ssize_t writev(int fd, const iovec* parts, int count) {
  return too_early_to_send(fd, parts, count) ? -1 : REAL(writev)(fd, parts, count);
}

HOOK ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  return too_early_to_send(fd, flags) ? -1 : REAL(send)(fd, buffer, size, flags);
}
HOOK ssize_t __send(int fd, const void* buffer, size_t size, int flags) __attribute__((alias("send")));

HOOK ssize_t sendto(int fd, const void* buffer, size_t size, int flags, const sockaddr* address, socklen_t length) {
  if (leak::is_refused(fd, address, length))
    return -1;
  if (const auto connected = connect_to_send(fd, address, length, flags))
    return *connected ? -1 : REAL(send)(fd, buffer, size, flags & ~MSG_FASTOPEN);
  return too_early_to_send(fd, flags) ? -1 : REAL(sendto)(fd, buffer, size, flags, address, length);
}

HOOK ssize_t sendmsg(int fd, const msghdr* message, int flags) { return send_message(fd, message, flags); }

HOOK int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return send_messages(fd, messages, count, flags);
}

HOOK ssize_t sendfile(int to, int from, off_t* offset, size_t count) noexcept {
  return too_early_to_send(to) ? -1 : REAL(sendfile)(to, from, offset, count);
}

HOOK ssize_t sendfile64(int to, int from, off64_t* offset, size_t count) noexcept {
  return too_early_to_send(to) ? -1 : REAL(sendfile64)(to, from, offset, count);
}

HOOK ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t count, unsigned flags) {
  const int wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
  if (too_early_to_receive(from, wait) || too_early_to_send(to, wait))
    return -1;
  return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}

HOOK int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto counted = count_for(fd, request, argument);
  return counted ? *counted : REAL(ioctl)(fd, request, argument);
}

HOOK int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (is_set_later(fd, level, option, value, length))
    return 0;
  const int error = errno, result = noted(level, option, REAL(setsockopt)(fd, level, option, value, length));
  const bool has_no_meaning = result != 0 && errno == EOPNOTSUPP && level != SOL_SOCKET && servers::any_unix();
  if (!has_no_meaning || !sockets::find_fd(fd)) // but on a Unix socket that serves as one of TCP
    return result;
  errno = error;
  return 0;
}

// The kernel ends a connection that is only being made.
HOOK int shutdown(int fd, int how) noexcept {
  const bool is_valid = how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR;
  const auto socket = is_valid && !sockets::empty() ? settle_fd(fd) : std::nullopt;
  if (socket && socket->awaits_call()) {
    const int error = shut_down_bind(fd, *socket, how);
    errno = error ? error : errno;
    return error ? -1 : 0;
  }
  if (socket && socket->state == State::connected && socket->is_news)
    end_news(fd, *socket);
  if (!is_pending(socket))
    return REAL(shutdown)(fd, how);
  abandon(fd);
  const sockaddr nobody{AF_UNSPEC, {}};
  return REAL(connect)(fd, &nobody, sizeof nobody);
}

#if __TIMESIZE == 32
HOOK ssize_t __recvmsg64(int fd, msghdr* message, int flags) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(__recvmsg64)(fd, message, flags);
}

HOOK int __recvmmsg64(int fd, mmsghdr* messages, unsigned count, int flags, timespec64* timeout) {
  return too_early_to_receive(fd, flags) ? -1 : REAL(__recvmmsg64)(fd, messages, count, flags, timeout);
}

// What is sent has no time in it.
HOOK ssize_t __sendmsg64(int fd, const msghdr* message, int flags) { return send_message(fd, message, flags); }

HOOK int __sendmmsg64(int fd, mmsghdr* messages, unsigned count, int flags) {
  return send_messages(fd, messages, count, flags);
}

HOOK int __ioctl_time64(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto counted = count_for(fd, request, argument);
  return counted ? *counted : REAL(__ioctl_time64)(fd, request, argument);
}

HOOK int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (is_set_later(fd, level, option, value, length))
    return 0;
  return noted(level, option, REAL(__setsockopt64)(fd, level, option, value, length));
}
#endif
