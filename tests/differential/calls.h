// SPDX-License-Identifier: MIT
// The calls under test: by libc's function, or by syscall(2).
#pragma once
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace differential::calls {

// For the steps of this thread.
inline thread_local bool by_syscall = false;

#define BOTH_WAYS(name, number)                                                                                        \
  template <typename... Arguments> long name(Arguments... arguments) {                                                 \
    return by_syscall ? ::syscall(number, arguments...) : ::name(arguments...);                                        \
  }
BOTH_WAYS(connect, SYS_connect)
BOTH_WAYS(bind, SYS_bind)
BOTH_WAYS(listen, SYS_listen)
BOTH_WAYS(accept, SYS_accept)
BOTH_WAYS(accept4, SYS_accept4)
BOTH_WAYS(shutdown, SYS_shutdown)
BOTH_WAYS(getsockname, SYS_getsockname)
BOTH_WAYS(getpeername, SYS_getpeername)
BOTH_WAYS(getsockopt, SYS_getsockopt)
BOTH_WAYS(setsockopt, SYS_setsockopt)
BOTH_WAYS(read, SYS_read)
BOTH_WAYS(write, SYS_write)
BOTH_WAYS(readv, SYS_readv)
BOTH_WAYS(writev, SYS_writev)
BOTH_WAYS(sendto, SYS_sendto)
BOTH_WAYS(sendmsg, SYS_sendmsg)
BOTH_WAYS(sendmmsg, SYS_sendmmsg)
BOTH_WAYS(recvfrom, SYS_recvfrom)
BOTH_WAYS(recvmsg, SYS_recvmsg)
BOTH_WAYS(recvmmsg, SYS_recvmmsg)
BOTH_WAYS(poll, SYS_poll)
BOTH_WAYS(select, SYS_select)
BOTH_WAYS(epoll_ctl, SYS_epoll_ctl)
BOTH_WAYS(epoll_wait, SYS_epoll_wait)
#undef BOTH_WAYS

// These differ: send() and recv() have no number, and the kernel wants the size of a signal mask.
constexpr size_t mask_size = 8;

inline long send(int fd, const void* bytes, size_t count, int flags) {
  return by_syscall ? ::syscall(SYS_sendto, fd, bytes, count, flags, nullptr, 0) : ::send(fd, bytes, count, flags);
}

inline long recv(int fd, void* bytes, size_t count, int flags) {
  return by_syscall ? ::syscall(SYS_recvfrom, fd, bytes, count, flags, nullptr, nullptr)
                    : ::recv(fd, bytes, count, flags);
}

inline long ppoll(pollfd* fds, nfds_t count, timespec limit) {
  return by_syscall ? ::syscall(SYS_ppoll, fds, count, &limit, nullptr, mask_size)
                    : ::ppoll(fds, count, &limit, nullptr);
}

inline long pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timespec limit) {
  return by_syscall ? ::syscall(SYS_pselect6, count, readable, writable, exceptional, &limit, nullptr)
                    : ::pselect(count, readable, writable, exceptional, &limit, nullptr);
}

inline long epoll_pwait(int epfd, epoll_event* events, int size, int limit) {
  return by_syscall ? ::syscall(SYS_epoll_pwait, epfd, events, size, limit, nullptr, mask_size)
                    : ::epoll_pwait(epfd, events, size, limit, nullptr);
}

inline long epoll_pwait2(int epfd, epoll_event* events, int size, timespec limit) {
  return by_syscall ? ::syscall(SYS_epoll_pwait2, epfd, events, size, &limit, nullptr, mask_size)
                    : ::epoll_pwait2(epfd, events, size, &limit, nullptr);
}

} // namespace differential::calls
