// SPDX-License-Identifier: MIT
// The exported functions that move data. Each is a jump to the real one, unless it comes too early.
#include "calls/connect.h"
#include "calls/premature_io.h"
#include "kernel/real.h"
#include "names/datagrams.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

using namespace socksify;
using premature_io::is_premature_receive;
using premature_io::is_premature_send;

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
#endif
}

namespace {

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

bool is_refused(int fd, const msghdr& message) {
  return datagrams::is_refused(fd, message.msg_name, message.msg_namelen);
}

ssize_t send_message(int fd, const msghdr* message, int flags) {
  if (message && is_refused(fd, *message))
    return -1;
  if (message && message->msg_name)
    if (const auto connected = connect_to_send(fd, message->msg_name, message->msg_namelen, flags)) {
      const msghdr rest = without_address(*message);
      return *connected ? -1 : REAL(sendmsg)(fd, &rest, flags & ~MSG_FASTOPEN);
    }
  return is_premature_send(fd, flags) ? -1 : REAL(sendmsg)(fd, message, flags);
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
  if (is_premature_send(fd, flags))
    return -1;
  const int before = errno;
  const unsigned sound = not_refused(fd, messages, count);
  if (sound == 0 && count)
    return -1;
  errno = before;
  return REAL(sendmmsg)(fd, messages, sound, flags);
}

} // namespace

HOOK ssize_t read(int fd, void* buffer, size_t size) {
  return size && is_premature_receive(fd) ? -1 : REAL(read)(fd, buffer, size);
}
HOOK ssize_t __read(int fd, void* buffer, size_t size) __attribute__((alias("read")));

HOOK ssize_t __read_chk(int fd, void* buffer, size_t size, size_t room) {
  return size && is_premature_receive(fd) ? -1 : REAL(__read_chk)(fd, buffer, size, room);
}

HOOK ssize_t readv(int fd, const iovec* parts, int count) {
  return is_premature_receive(fd, parts, count) ? -1 : REAL(readv)(fd, parts, count);
}

// On a socket, with offset -1, these are readv() and writev() with flags.
HOOK ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return is_premature_receive(fd, parts, count, wait_flag(flags)) ? -1 : REAL(preadv2)(fd, parts, count, offset, flags);
}

HOOK ssize_t preadv64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return is_premature_receive(fd, parts, count, wait_flag(flags)) ? -1
                                                                  : REAL(preadv64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return is_premature_send(fd, parts, count, wait_flag(flags)) ? -1 : REAL(pwritev2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return is_premature_send(fd, parts, count, wait_flag(flags)) ? -1
                                                               : REAL(pwritev64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  return is_premature_receive(fd, flags) ? -1 : REAL(recv)(fd, buffer, size, flags);
}

HOOK ssize_t __recv_chk(int fd, void* buffer, size_t size, size_t room, int flags) {
  return is_premature_receive(fd, flags) ? -1 : REAL(__recv_chk)(fd, buffer, size, room, flags);
}

HOOK ssize_t recvfrom(int fd, void* __restrict buffer, size_t size, int flags, sockaddr* __restrict address,
                      socklen_t* __restrict length) {
  return is_premature_receive(fd, flags) ? -1 : REAL(recvfrom)(fd, buffer, size, flags, address, length);
}

HOOK ssize_t __recvfrom_chk(int fd, void* __restrict buffer, size_t size, size_t room, int flags,
                            sockaddr* __restrict address, socklen_t* __restrict length) {
  return is_premature_receive(fd, flags) ? -1 : REAL(__recvfrom_chk)(fd, buffer, size, room, flags, address, length);
}

HOOK ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return is_premature_receive(fd, flags) ? -1 : REAL(recvmsg)(fd, message, flags);
}

HOOK int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  return is_premature_receive(fd, flags) ? -1 : REAL(recvmmsg)(fd, messages, count, flags, timeout);
}

HOOK ssize_t write(int fd, const void* buffer, size_t size) {
  return is_premature_send(fd) ? -1 : REAL(write)(fd, buffer, size);
}
HOOK ssize_t __write(int fd, const void* buffer, size_t size) __attribute__((alias("write")));

HOOK ssize_t writev(int fd, const iovec* parts, int count) {
  return is_premature_send(fd, parts, count) ? -1 : REAL(writev)(fd, parts, count);
}

HOOK ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  return is_premature_send(fd, flags) ? -1 : REAL(send)(fd, buffer, size, flags);
}
HOOK ssize_t __send(int fd, const void* buffer, size_t size, int flags) __attribute__((alias("send")));

HOOK ssize_t sendto(int fd, const void* buffer, size_t size, int flags, const sockaddr* address, socklen_t length) {
  if (datagrams::is_refused(fd, address, length))
    return -1;
  if (const auto connected = connect_to_send(fd, address, length, flags))
    return *connected ? -1 : REAL(send)(fd, buffer, size, flags & ~MSG_FASTOPEN);
  return is_premature_send(fd, flags) ? -1 : REAL(sendto)(fd, buffer, size, flags, address, length);
}

HOOK ssize_t sendmsg(int fd, const msghdr* message, int flags) { return send_message(fd, message, flags); }

HOOK int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return send_messages(fd, messages, count, flags);
}

HOOK ssize_t sendfile(int to, int from, off_t* offset, size_t count) noexcept {
  return is_premature_send(to) ? -1 : REAL(sendfile)(to, from, offset, count);
}

HOOK ssize_t sendfile64(int to, int from, off64_t* offset, size_t count) noexcept {
  return is_premature_send(to) ? -1 : REAL(sendfile64)(to, from, offset, count);
}

HOOK ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t count, unsigned flags) {
  const int wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
  if (is_premature_receive(from, wait) || is_premature_send(to, wait))
    return -1;
  return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}

#if __TIMESIZE == 32
HOOK ssize_t __recvmsg64(int fd, msghdr* message, int flags) {
  return is_premature_receive(fd, flags) ? -1 : REAL(__recvmsg64)(fd, message, flags);
}

HOOK int __recvmmsg64(int fd, mmsghdr* messages, unsigned count, int flags, timespec64* timeout) {
  return is_premature_receive(fd, flags) ? -1 : REAL(__recvmmsg64)(fd, messages, count, flags, timeout);
}

// What is sent has no time in it.
HOOK ssize_t __sendmsg64(int fd, const msghdr* message, int flags) { return send_message(fd, message, flags); }

HOOK int __sendmmsg64(int fd, mmsghdr* messages, unsigned count, int flags) {
  return send_messages(fd, messages, count, flags);
}
#endif
