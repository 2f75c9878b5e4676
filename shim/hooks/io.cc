// SPDX-License-Identifier: MIT
// read(), write(), send(), recv() and their relatives: the real call, unless there is no connection yet.
#include "calls/datagrams.h"
#include "calls/premature_io.h"
#include "calls/send.h"
#include "kernel/real.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

using namespace socksify;
using premature_io::fails_receive;
using premature_io::fails_receive_into;

extern "C" {
ssize_t __read_chk(int fd, void* buffer, size_t size, size_t capacity);
ssize_t __recv_chk(int fd, void* buffer, size_t size, size_t capacity, int flags);
ssize_t __recvfrom_chk(int fd, void* __restrict buffer, size_t size, size_t capacity, int flags,
                       sockaddr* __restrict address, socklen_t* __restrict length);
}

namespace {

// True if the call fails, with errno: it is too early, or would send past the SOCKS server.
template <typename... Call> bool fails_send(int fd, Call... call) {
  return datagrams::is_send_refused(fd) || premature_io::fails_send(fd, call...);
}

// As the flag of recv() and send().
int wait_flag(int flags) { return flags & RWF_NOWAIT ? MSG_DONTWAIT : 0; }

template <typename Offset> bool may_send_file(const Offset* offset, size_t count) {
  return count && (!offset || !premature_io::needs_check() || is_readable(offset));
}

// An address that cannot be read is the kernel's to refuse.
bool fails_send_to(int fd, const sockaddr* address, socklen_t length, int flags) {
  return premature_io::needs_check() && (!address || is_readable(address, length)) &&
         premature_io::check_send(fd, flags) != 0;
}

} // namespace

HOOK ssize_t read(int fd, void* buffer, size_t size) {
  return size && fails_receive(fd) ? -1 : REAL(read)(fd, buffer, size);
}
HOOK ssize_t __read(int fd, void* buffer, size_t size) __attribute__((alias("read")));

HOOK ssize_t __read_chk(int fd, void* buffer, size_t size, size_t capacity) {
  return size && fails_receive(fd) ? -1 : REAL(__read_chk)(fd, buffer, size, capacity);
}

HOOK ssize_t readv(int fd, const iovec* parts, int count) {
  return fails_receive(fd, parts, count) ? -1 : REAL(readv)(fd, parts, count);
}

// With offset -1 these are readv() and writev() with flags, and work on sockets.
HOOK ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return fails_receive(fd, parts, count, wait_flag(flags)) ? -1 : REAL(preadv2)(fd, parts, count, offset, flags);
}

HOOK ssize_t preadv64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return fails_receive(fd, parts, count, wait_flag(flags)) ? -1 : REAL(preadv64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return fails_send(fd, parts, count, wait_flag(flags)) ? -1 : REAL(pwritev2)(fd, parts, count, offset, flags);
}

HOOK ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return fails_send(fd, parts, count, wait_flag(flags)) ? -1 : REAL(pwritev64v2)(fd, parts, count, offset, flags);
}

HOOK ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  return fails_receive(fd, flags) ? -1 : REAL(recv)(fd, buffer, size, flags);
}

HOOK ssize_t __recv_chk(int fd, void* buffer, size_t size, size_t capacity, int flags) {
  return fails_receive(fd, flags) ? -1 : REAL(__recv_chk)(fd, buffer, size, capacity, flags);
}

HOOK ssize_t recvfrom(int fd, void* __restrict buffer, size_t size, int flags, sockaddr* __restrict address,
                      socklen_t* __restrict length) {
  return fails_receive(fd, flags) ? -1 : REAL(recvfrom)(fd, buffer, size, flags, address, length);
}

HOOK ssize_t __recvfrom_chk(int fd, void* __restrict buffer, size_t size, size_t capacity, int flags,
                            sockaddr* __restrict address, socklen_t* __restrict length) {
  return fails_receive(fd, flags) ? -1 : REAL(__recvfrom_chk)(fd, buffer, size, capacity, flags, address, length);
}

HOOK ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return fails_receive_into(fd, message, flags) ? -1 : REAL(recvmsg)(fd, message, flags);
}

HOOK int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  return fails_receive_into(fd, messages, flags) ? -1 : REAL(recvmmsg)(fd, messages, count, flags, timeout);
}

HOOK ssize_t write(int fd, const void* buffer, size_t size) {
  return fails_send(fd) ? -1 : REAL(write)(fd, buffer, size);
}
HOOK ssize_t __write(int fd, const void* buffer, size_t size) __attribute__((alias("write")));

HOOK ssize_t writev(int fd, const iovec* parts, int count) {
  return fails_send(fd, parts, count) ? -1 : REAL(writev)(fd, parts, count);
}

HOOK ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  return fails_send(fd, flags) ? -1 : REAL(send)(fd, buffer, size, flags);
}
HOOK ssize_t __send(int fd, const void* buffer, size_t size, int flags) __attribute__((alias("send")));

HOOK ssize_t sendto(int fd, const void* buffer, size_t size, int flags, const sockaddr* address, socklen_t length) {
  if (address ? datagrams::is_send_refused(fd, address, length) : datagrams::is_send_refused(fd))
    return -1;
  const Outcome connected = sending::connect_to_send(fd, address, length, flags);
  if (!connected.is_ours())
    return fails_send_to(fd, address, length, flags) ? -1 : REAL(sendto)(fd, buffer, size, flags, address, length);
  return connected.error() ? fail(connected.error()) : REAL(send)(fd, buffer, size, flags & ~MSG_FASTOPEN);
}

HOOK ssize_t sendmsg(int fd, const msghdr* message, int flags) { return sending::message(fd, message, flags); }

HOOK int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return sending::messages(fd, messages, count, flags);
}

// An offset that cannot be read, and a count of 0, are the kernel's to answer.
HOOK ssize_t sendfile(int to, int from, off_t* offset, size_t count) noexcept {
  return may_send_file(offset, count) && fails_send(to) ? -1 : REAL(sendfile)(to, from, offset, count);
}

HOOK ssize_t sendfile64(int to, int from, off64_t* offset, size_t count) noexcept {
  return may_send_file(offset, count) && fails_send(to) ? -1 : REAL(sendfile64)(to, from, offset, count);
}

// Neither sockets nor pipes have an offset: the kernel refuses.
HOOK ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t count, unsigned flags) {
  const int wait = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
  const bool may_move = count && !from_offset && !to_offset;
  if (may_move && (fails_receive(from, wait) || fails_send(to, wait)))
    return -1;
  return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}
