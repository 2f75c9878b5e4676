// SPDX-License-Identifier: MIT
// syscall(2): a call that has a hook goes to that hook. io_uring, which would bypass them all, fails with ENOSYS.
// Runtimes such as Bun and libuv make calls this way.
#include "config/config.h"
#include "kernel/call.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include "kernel/uninterrupted.h"
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

using namespace socksify;

namespace {

using Argument = long;
using Arguments = const Argument (&)[6];

int fd_of(Argument argument) { return static_cast<int>(argument); }
template <typename Type> Type* pointer_of(Argument argument) { return reinterpret_cast<Type*>(argument); }
socklen_t length_of(Argument argument) { return static_cast<socklen_t>(argument); }

long pselect6(Arguments a) {
  struct Mask { // the kernel's sixth argument points to this
    const sigset_t* signals;
    size_t size;
  };
  const auto* mask = pointer_of<const Mask>(a[5]);
  if (mask && !is_readable(mask))
    return fail(EFAULT);
  return pselect(fd_of(a[0]), pointer_of<fd_set>(a[1]), pointer_of<fd_set>(a[2]), pointer_of<fd_set>(a[3]),
                 pointer_of<const timespec>(a[4]), mask ? mask->signals : nullptr);
}

#if __LP64__
long exec_call(long number, Arguments a) {
  if (number == SYS_execve)
    return execve(pointer_of<const char>(a[0]), pointer_of<char* const>(a[1]), pointer_of<char* const>(a[2]));
  return execveat(fd_of(a[0]), pointer_of<const char>(a[1]), pointer_of<char* const>(a[2]),
                  pointer_of<char* const>(a[3]), static_cast<int>(a[4]));
}

// The kernel takes the high half of an offset as one more argument, which is not used here.
long positioned_call(long number, Arguments a) {
  const auto count = static_cast<int>(a[2]), flags = static_cast<int>(a[5]);
  if (number == SYS_preadv2)
    return preadv2(fd_of(a[0]), pointer_of<const iovec>(a[1]), count, a[3], flags);
  return pwritev2(fd_of(a[0]), pointer_of<const iovec>(a[1]), count, a[3], flags);
}

// Calls that are rarely made this way.
long rare_call(long number, Arguments a) {
  switch (number) {
  case SYS_execve:
  case SYS_execveat:
    return exec_call(number, a);
  case SYS_preadv2:
  case SYS_pwritev2:
    return positioned_call(number, a);
  case SYS_sendfile:
    return sendfile(fd_of(a[0]), fd_of(a[1]), pointer_of<off_t>(a[2]), static_cast<size_t>(a[3]));
  case SYS_splice:
    return splice(fd_of(a[0]), pointer_of<off64_t>(a[1]), fd_of(a[2]), pointer_of<off64_t>(a[3]),
                  static_cast<size_t>(a[4]), static_cast<unsigned>(a[5]));
  }
  return fail(ENOSYS);
}
#else
long rare_call(long, Arguments) { return fail(ENOSYS); }
#endif

// Calls that wait. The kernel's ppoll() and pselect6() also store the time that is left; libc's, and so ours, do not.
long wait_call(long number, Arguments a) {
  switch (number) {
#ifdef SYS_poll
  case SYS_poll:
    return poll(pointer_of<pollfd>(a[0]), static_cast<nfds_t>(a[1]), static_cast<int>(a[2]));
#endif
  case SYS_ppoll:
    return ppoll(pointer_of<pollfd>(a[0]), static_cast<nfds_t>(a[1]), pointer_of<const timespec>(a[2]),
                 pointer_of<const sigset_t>(a[3]));
#ifdef SYS_select
  case SYS_select:
    return select(fd_of(a[0]), pointer_of<fd_set>(a[1]), pointer_of<fd_set>(a[2]), pointer_of<fd_set>(a[3]),
                  pointer_of<timeval>(a[4]));
#endif
  case SYS_pselect6:
    return pselect6(a);
  case SYS_epoll_ctl:
    return epoll_ctl(fd_of(a[0]), static_cast<int>(a[1]), fd_of(a[2]), pointer_of<epoll_event>(a[3]));
#ifdef SYS_epoll_wait
  case SYS_epoll_wait:
    return epoll_wait(fd_of(a[0]), pointer_of<epoll_event>(a[1]), static_cast<int>(a[2]), static_cast<int>(a[3]));
#endif
  case SYS_epoll_pwait:
    return epoll_pwait(fd_of(a[0]), pointer_of<epoll_event>(a[1]), static_cast<int>(a[2]), static_cast<int>(a[3]),
                       pointer_of<const sigset_t>(a[4]));
  case SYS_epoll_pwait2:
    return epoll_pwait2(fd_of(a[0]), pointer_of<epoll_event>(a[1]), static_cast<int>(a[2]),
                        pointer_of<const timespec>(a[3]), pointer_of<const sigset_t>(a[4]));
  }
  return rare_call(number, a);
}

long socket_call(long number, Arguments a) {
  const int fd = fd_of(a[0]);
  switch (number) {
  case SYS_connect:
    return connect(fd, pointer_of<const sockaddr>(a[1]), length_of(a[2]));
  case SYS_bind:
    return bind(fd, pointer_of<const sockaddr>(a[1]), length_of(a[2]));
  case SYS_listen:
    return listen(fd, static_cast<int>(a[1]));
#ifdef SYS_accept
  case SYS_accept:
    return accept(fd, pointer_of<sockaddr>(a[1]), pointer_of<socklen_t>(a[2]));
#endif
  case SYS_accept4:
    return accept4(fd, pointer_of<sockaddr>(a[1]), pointer_of<socklen_t>(a[2]), static_cast<int>(a[3]));
  case SYS_getsockname:
    return getsockname(fd, pointer_of<sockaddr>(a[1]), pointer_of<socklen_t>(a[2]));
  case SYS_getpeername:
    return getpeername(fd, pointer_of<sockaddr>(a[1]), pointer_of<socklen_t>(a[2]));
  case SYS_getsockopt:
    return getsockopt(fd, static_cast<int>(a[1]), static_cast<int>(a[2]), pointer_of<void>(a[3]),
                      pointer_of<socklen_t>(a[4]));
  case SYS_setsockopt:
    return setsockopt(fd, static_cast<int>(a[1]), static_cast<int>(a[2]), pointer_of<const void>(a[3]),
                      length_of(a[4]));
  case SYS_shutdown:
    return shutdown(fd, static_cast<int>(a[1]));
  case SYS_ioctl:
    return ioctl(fd, static_cast<unsigned long>(a[1]), a[2]);
  }
  return wait_call(number, a);
}

long data_call(long number, Arguments a) {
  const int fd = fd_of(a[0]);
  const auto size = static_cast<size_t>(a[2]);
  switch (number) {
  case SYS_read:
    return read(fd, pointer_of<void>(a[1]), size);
  case SYS_write:
    return write(fd, pointer_of<const void>(a[1]), size);
  case SYS_readv:
    return readv(fd, pointer_of<const iovec>(a[1]), static_cast<int>(a[2]));
  case SYS_writev:
    return writev(fd, pointer_of<const iovec>(a[1]), static_cast<int>(a[2]));
  case SYS_recvfrom:
    return recvfrom(fd, pointer_of<void>(a[1]), size, static_cast<int>(a[3]), pointer_of<sockaddr>(a[4]),
                    pointer_of<socklen_t>(a[5]));
  case SYS_sendto:
    return sendto(fd, pointer_of<const void>(a[1]), size, static_cast<int>(a[3]), pointer_of<const sockaddr>(a[4]),
                  length_of(a[5]));
  case SYS_recvmsg:
    return recvmsg(fd, pointer_of<msghdr>(a[1]), static_cast<int>(a[2]));
  case SYS_sendmsg:
    return sendmsg(fd, pointer_of<const msghdr>(a[1]), static_cast<int>(a[2]));
  case SYS_recvmmsg:
    return recvmmsg(fd, pointer_of<mmsghdr>(a[1]), static_cast<unsigned>(a[2]), static_cast<int>(a[3]),
                    pointer_of<timespec>(a[4]));
  case SYS_sendmmsg:
    return sendmmsg(fd, pointer_of<mmsghdr>(a[1]), static_cast<unsigned>(a[2]), static_cast<int>(a[3]));
  }
  return socket_call(number, a);
}

// The calls that have a hook, by number. In 32-bit programs only the last line: their socket calls share one
// number, socketcall(2), and their time limits come in two sizes.
constexpr long hooked_calls[] = {
#if __LP64__
    SYS_read,           SYS_write,        SYS_readv,       SYS_writev,       SYS_recvfrom,   SYS_sendto,   SYS_recvmsg,
    SYS_sendmsg,        SYS_recvmmsg,     SYS_sendmmsg,    SYS_connect,      SYS_bind,       SYS_listen,   SYS_accept,
    SYS_accept4,        SYS_getsockname,  SYS_getpeername, SYS_getsockopt,   SYS_setsockopt, SYS_shutdown, SYS_ppoll,
    SYS_pselect6,       SYS_epoll_ctl,    SYS_epoll_pwait, SYS_epoll_pwait2, SYS_ioctl,      SYS_execve,   SYS_execveat,
    SYS_preadv2,        SYS_pwritev2,     SYS_sendfile,    SYS_splice,
#ifdef SYS_poll
    SYS_poll,           SYS_select,       SYS_epoll_wait,
#endif
#endif
    SYS_io_uring_setup, SYS_rt_sigaction,
};

struct HookedCalls {
  static constexpr unsigned long count = 512;
  bool has[count]{};

  constexpr HookedCalls() {
    for (const long number : hooked_calls)
      has[number] = true;
  }
  // Numbers beyond the table share its last place, which is for no call: no branch for them.
  bool includes(long number) const { return has[std::min(static_cast<unsigned long>(number), count - 1)]; }
};
constexpr HookedCalls hooked;

// Goes to the real syscall(). At first it goes to find_and_pass_on(), so that there is nothing to ask later.
using Call = long (*)(long number, Argument a, Argument b, Argument c, Argument d, Argument e, Argument f);
extern std::atomic<Call> pass_on;

long find_and_pass_on(long number, Argument a, Argument b, Argument c, Argument d, Argument e, Argument f) {
  const Call real = reinterpret_cast<Call>(reinterpret_cast<void*>(&REAL(syscall)));
  pass_on.store(real, std::memory_order_relaxed);
  return real(number, a, b, c, d, e, f);
}
constinit std::atomic<Call> pass_on{find_and_pass_on};

[[gnu::noinline]] long call_hook(long number, Argument a, Argument b, Argument c, Argument d, Argument e, Argument f) {
  if (number == SYS_rt_sigaction) // it may install a handler
    Uninterrupted::expect_signals();
  if (number == SYS_rt_sigaction || !config().active || (number == SYS_io_uring_setup && config().io_uring))
    return pass_on.load(std::memory_order_relaxed)(number, a, b, c, d, e, f);
  return number == SYS_io_uring_setup ? fail(ENOSYS) : data_call(number, {a, b, c, d, e, f});
}

} // namespace

// Not variadic, so that every call is passed on by a jump: vfork() and clone() return twice, and to the caller. What a
// caller with fewer arguments leaves undefined, nobody reads.
HOOK long syscall_hook(long number, Argument a, Argument b, Argument c, Argument d, Argument e, Argument f) noexcept
    __asm__("syscall");

long syscall_hook(long number, Argument a, Argument b, Argument c, Argument d, Argument e, Argument f) noexcept {
  if (hooked.includes(number)) [[unlikely]]
    return call_hook(number, a, b, c, d, e, f);
  return pass_on.load(std::memory_order_relaxed)(number, a, b, c, d, e, f);
}
