/* SPDX-License-Identifier: MIT */
/* The calls that tests/preload/inject.c can make fail, and with which errors. A test tells it through shared memory:
   both map the file $INJECT. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* In place of an errno: only one byte; the end of the stream; the call is made, but SIGUSR1 or the cancellation of the
   thread comes first; GAI minus an error of getaddrinfo(), which is negative. */
enum { SHORT = -1, END = -2, JUMP = -3, CANCEL = -4, GAI = 1000 };

/* Each call with every errno that its manual page, or that of the protocol, documents for valid arguments. */
#define INJECTABLE(X)                                                                                                  \
  X(socket, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES)                                                                   \
  X(connect, EINTR, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, ENOBUFS, ENOMEM,        \
    EACCES, EPERM)                                                                                                     \
  X(bind, EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM, ENOBUFS)                                                          \
  X(listen, EADDRINUSE, ENOMEM, ENOBUFS)                                                                               \
  X(accept4, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EAGAIN, EPROTO, EPERM, EHOSTDOWN, ENETDOWN)         \
  X(send, SHORT, EAGAIN, EINTR, ENOBUFS, ENOMEM, EPIPE, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN)    \
  X(sendto, EINTR, ENOBUFS, ENOMEM, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES, EOPNOTSUPP)                      \
  X(recv, SHORT, END, EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNRESET, ETIMEDOUT, EHOSTUNREACH)                             \
  X(read, SHORT, EINTR, EAGAIN, EIO, ENOBUFS, ENOMEM, ECONNRESET)                                                      \
  X(write, EINTR, EAGAIN, ENOSPC, EIO)                                                                                 \
  X(poll, EINTR, ENOMEM)                                                                                               \
  X(ppoll, EINTR, ENOMEM)                                                                                              \
  X(select, EINTR, ENOMEM)                                                                                             \
  X(pselect, EINTR, ENOMEM)                                                                                            \
  X(epoll_create1, EMFILE, ENFILE, ENOMEM)                                                                             \
  X(epoll_ctl, ENOMEM, ENOSPC)                                                                                         \
  X(epoll_wait, EINTR)                                                                                                 \
  X(epoll_pwait, EINTR)                                                                                                \
  X(getsockopt, EPERM)                                                                                                 \
  X(setsockopt, ENOBUFS, ENOMEM, EPERM)                                                                                \
  X(getsockname, ENOBUFS)                                                                                              \
  X(getpeername, ENOBUFS)                                                                                              \
  X(shutdown, ENOBUFS, ENOTCONN)                                                                                       \
  X(fcntl, EMFILE, EPERM)                                                                                              \
  X(dup3, EBUSY, EINTR)                                                                                                \
  X(open, EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EROFS, ENOSPC, EDQUOT, EINTR, EIO)                                   \
  X(fstat, ENOMEM, EIO)                                                                                                \
  X(file_lock, EINTR, EAGAIN, ENOLCK)                                                                                  \
  X(pread, SHORT, END, EINTR, EIO, ENOMEM)                                                                             \
  X(file_read, SHORT, END, EINTR, EIO, ENOMEM)                                                                         \
  X(file_write, SHORT, EINTR, EIO, ENOMEM, ENOSPC, EDQUOT, EFBIG)                                                      \
  X(getaddrinfo, GAI - EAI_AGAIN, GAI - EAI_MEMORY, EMFILE, ENOMEM)                                                    \
  X(close, EINTR, EIO)                                                                                                 \
  X(pipe2, EMFILE, ENFILE)                                                                                             \
  X(splice, SHORT, EAGAIN, EINTR, ENOMEM, EPIPE, ECONNRESET)                                                           \
  X(ioctl, EPERM)                                                                                                      \
  X(mmap, ENOMEM, EAGAIN, EPERM)                                                                                       \
  X(pthread_create, EAGAIN)                                                                                            \
  X(malloc, ENOMEM)                                                                                                    \
  X(calloc, ENOMEM)                                                                                                    \
  X(realloc, ENOMEM)

#define NUMBER(name, ...) call_##name,
enum call { INJECTABLE(NUMBER) calls };
#undef NUMBER

static const struct injectable {
  const char* name;
  int errors[12]; /* ended by 0 */
} injectables[] = {
#define ENTRY(name, ...) {#name, {__VA_ARGS__}},
    INJECTABLE(ENTRY)
#undef ENTRY
};

struct injection {
  volatile int armed;      /* calls are counted, and may fail */
  volatile enum call call; /* the value `calls`: none fails */
  volatile int nth;        /* from 1 */
  volatile int error;
  volatile int lasts; /* all calls after the n-th fail as well */
  volatile unsigned until; /* in milliseconds(); 0: faults do not end by themselves */
  volatile int injected;
  volatile int made[calls];
};

static inline const char* fault_text(int error) {
  if (error == SHORT || error == END)
    return error == SHORT ? "one byte" : "the end";
  if (error == JUMP || error == CANCEL)
    return error == JUMP ? "siglongjmp()" : "cancelled";
  return error > GAI ? gai_strerror(GAI - error) : strerrorname_np(error);
}

/* Of an unspecified clock; only differences mean anything. */
static inline unsigned milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (unsigned)now.tv_sec * 1000 + (unsigned)(now.tv_nsec / 1000000);
}

static inline struct injection* map_injection(void) {
  const char* file = getenv("INJECT");
  int fd = file ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0 || ftruncate(fd, sizeof(struct injection)) != 0)
    return NULL;
  void* memory = mmap(NULL, sizeof(struct injection), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return memory == MAP_FAILED ? NULL : memory;
}

/* A signal that is blocked comes later. */
static inline void leave(int how) {
  if (how == JUMP)
    pthread_kill(pthread_self(), SIGUSR1);
  else
    pthread_cancel(pthread_self());
}

/* A shortage may affect all later calls; an accident affects only one. */
static inline int may_last(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == ENOSPC ||
         error == ENETUNREACH || error == EPERM;
}
