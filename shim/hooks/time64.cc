// SPDX-License-Identifier: MIT
// On systems where time_t has 32 bits, the names that programs with a time_t of 64 bits call.
#include "calls/options.h"
#include "calls/premature_io.h"
#include "calls/send.h"
#include "calls/wait.h"
#include "kernel/real.h"
#include "kernel/sockopts.h"
#include <cstdarg>

#if __TIMESIZE == 32
using namespace socksify;

extern "C" {
struct timespec64 {
  int64_t tv_sec;
  int32_t tv_nsec, unused;
};
struct timeval64 {
  int64_t tv_sec, tv_usec;
};
int __ioctl_time64(int fd, unsigned long request, ...) noexcept;
int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept;
int __getsockopt64(int fd, int level, int option, void* value, socklen_t* length) noexcept;
ssize_t __recvmsg64(int fd, msghdr* message, int flags);
int __recvmmsg64(int fd, mmsghdr* messages, unsigned count, int flags, timespec64* timeout);
ssize_t __sendmsg64(int fd, const msghdr* message, int flags);
int __sendmmsg64(int fd, mmsghdr* messages, unsigned count, int flags);
int __ppoll64(pollfd* fds, nfds_t count, const timespec64* timeout, const sigset_t* mask);
int __select64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval64* timeout);
int __pselect64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec64* timeout,
                const sigset_t* mask);
int __epoll_pwait2_time64(int epfd, epoll_event* events, int size, const timespec64* timeout, const sigset_t* mask);
}

HOOK int __ioctl_time64(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return answered(options::count_unread(fd, request, argument),
                  [&] { return REAL(__ioctl_time64)(fd, request, argument); });
}

HOOK int __setsockopt64(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  return answered(options::set(fd, level, option, value, length), [&] {
    const int result = REAL(__setsockopt64)(fd, level, option, value, length);
    if (result == 0)
      sockopts::record_use(level, option);
    return result;
  });
}

HOOK int __getsockopt64(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  return answered(options::get(fd, level, option, value, length),
                  [&] { return REAL(__getsockopt64)(fd, level, option, value, length); });
}

HOOK ssize_t __recvmsg64(int fd, msghdr* message, int flags) {
  return premature_io::fails_receive_into(fd, message, flags) ? -1 : REAL(__recvmsg64)(fd, message, flags);
}

HOOK int __recvmmsg64(int fd, mmsghdr* messages, unsigned count, int flags, timespec64* timeout) {
  return premature_io::fails_receive_into(fd, messages, flags)
             ? -1
             : REAL(__recvmmsg64)(fd, messages, count, flags, timeout);
}

// What these send contains no time.
HOOK ssize_t __sendmsg64(int fd, const msghdr* message, int flags) { return sending::message(fd, message, flags); }

HOOK int __sendmmsg64(int fd, mmsghdr* messages, unsigned count, int flags) {
  return sending::messages(fd, messages, count, flags);
}

HOOK int __ppoll64(pollfd* fds, nfds_t count, const timespec64* timeout, const sigset_t* mask) {
  return wait::by_poll(fds, count, timeout, mask, [&] { return REAL(__ppoll64)(fds, count, timeout, mask); });
}

HOOK int __select64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval64* timeout) {
  return wait::by_select({count, readable, writable, exceptional}, timeout,
                         [&] { return REAL(__select64)(count, readable, writable, exceptional, timeout); });
}

HOOK int __pselect64(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const timespec64* timeout,
                     const sigset_t* mask) {
  return wait::by_pselect({count, readable, writable, exceptional}, timeout, mask,
                          [&] { return REAL(__pselect64)(count, readable, writable, exceptional, timeout, mask); });
}

HOOK int __epoll_pwait2_time64(int epfd, epoll_event* events, int size, const timespec64* timeout,
                               const sigset_t* mask) {
  return wait::by_epoll(epfd, events, size, timeout, mask,
                        [&] { return REAL(__epoll_pwait2_time64)(epfd, events, size, timeout, mask); });
}
#endif
