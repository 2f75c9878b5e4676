/* SPDX-License-Identifier: MIT */
/* Makes calls of the C library fail. Preloaded after libsocksify.so, it sees the calls that the library makes, with
   REAL() or without; preloaded into socks4d, it sees the server's. A call that "fails" is not made, with two
   exceptions, because the kernel does the same: a connect() that a signal interrupts goes on, and a failing close()
   closes. */
#include "inject.h"
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);

int socket(int domain, int type, int protocol) {
  FAIL(socket);
  return NEXT(socket)(domain, type, protocol);
}

static int connect_interrupted(int fd, const struct sockaddr* address, socklen_t length) {
  const int flags = NEXT(fcntl)(fd, F_GETFL);
  NEXT(fcntl)(fd, F_SETFL, flags | O_NONBLOCK);
  const int result = NEXT(connect)(fd, address, length), error = errno;
  NEXT(fcntl)(fd, F_SETFL, flags);
  errno = error == EINPROGRESS ? EINTR : error;
  return result;
}

int connect(int fd, const struct sockaddr* address, socklen_t length) {
  const int error = fault(call_connect);
  if (error == EINTR && !(NEXT(fcntl)(fd, F_GETFL) & O_NONBLOCK))
    return connect_interrupted(fd, address, length);
  if (error > 0 && error != EINTR)
    return errno = error, -1;
  return NEXT(connect)(fd, address, length);
}

int bind(int fd, const struct sockaddr* address, socklen_t length) {
  FAIL(bind);
  return NEXT(bind)(fd, address, length);
}

int listen(int fd, int backlog) {
  FAIL(listen);
  return NEXT(listen)(fd, backlog);
}

int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  FAIL(accept4);
  return NEXT(accept4)(fd, address, length, flags);
}

ssize_t send(int fd, const void* buffer, size_t size, int flags) {
  FAIL_OR_CUT(send, size);
  return NEXT(send)(fd, buffer, size, flags);
}

ssize_t sendto(int fd, const void* buffer, size_t size, int flags, const struct sockaddr* address, socklen_t length) {
  FAIL(sendto);
  return NEXT(sendto)(fd, buffer, size, flags, address, length);
}

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  FAIL_OR_CUT(recv, size);
  return NEXT(recv)(fd, buffer, size, flags);
}

/* The file of fake IPs is open for reading and writing; the end of /etc/hosts is not an error. */
static int is_store(int fd) {
  const int before = errno;
  const int is_one = lseek(fd, 0, SEEK_CUR) >= 0 && (NEXT(fcntl)(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
  errno = before;
  return is_one;
}

ssize_t read(int fd, void* buffer, size_t size) {
  if (is_store(fd))
    FAIL_OR_CUT(file_read, size);
  else
    FAIL_OR_CUT(read, size);
  return NEXT(read)(fd, buffer, size);
}

ssize_t write(int fd, const void* buffer, size_t size) {
  if (is_store(fd))
    FAIL_OR_CUT(file_write, size);
  else
    FAIL(write);
  return NEXT(write)(fd, buffer, size);
}

int poll(struct pollfd* fds, nfds_t count, int timeout) {
  FAIL(poll);
  return NEXT(poll)(fds, count, timeout);
}

int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout, const sigset_t* mask) {
  FAIL(ppoll);
  return NEXT(ppoll)(fds, count, timeout, mask);
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, struct timeval* timeout) {
  FAIL(select);
  return NEXT(select)(count, readable, writable, exceptional, timeout);
}

int pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, const struct timespec* timeout,
            const sigset_t* mask) {
  FAIL(pselect);
  return NEXT(pselect)(count, readable, writable, exceptional, timeout, mask);
}

int epoll_create1(int flags) {
  FAIL(epoll_create1);
  return NEXT(epoll_create1)(flags);
}

int epoll_ctl(int epfd, int operation, int fd, struct epoll_event* event) {
  if (operation == EPOLL_CTL_ADD)
    FAIL(epoll_ctl);
  return NEXT(epoll_ctl)(epfd, operation, fd, event);
}

int epoll_wait(int epfd, struct epoll_event* events, int size, int timeout) {
  FAIL(epoll_wait);
  return NEXT(epoll_wait)(epfd, events, size, timeout);
}

int epoll_pwait(int epfd, struct epoll_event* events, int size, int timeout, const sigset_t* mask) {
  FAIL(epoll_pwait);
  return NEXT(epoll_pwait)(epfd, events, size, timeout, mask);
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* length) {
  FAIL(getsockopt);
  return NEXT(getsockopt)(fd, level, option, value, length);
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  FAIL(setsockopt);
  return NEXT(setsockopt)(fd, level, option, value, length);
}

int getsockname(int fd, struct sockaddr* address, socklen_t* length) {
  FAIL(getsockname);
  return NEXT(getsockname)(fd, address, length);
}

int getpeername(int fd, struct sockaddr* address, socklen_t* length) {
  FAIL(getpeername);
  return NEXT(getpeername)(fd, address, length);
}

int shutdown(int fd, int how) {
  FAIL(shutdown);
  return NEXT(shutdown)(fd, how);
}

/* Only operations that allocate a descriptor or memory can fail. */
int fcntl(int fd, int operation, ...) {
  va_list arguments;
  va_start(arguments, operation);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (operation == F_DUPFD || operation == F_DUPFD_CLOEXEC || operation == F_SETPIPE_SZ)
    FAIL(fcntl);
  if (operation == F_OFD_SETLK)
    FAIL(file_lock);
  return NEXT(fcntl)(fd, operation, argument);
}

int dup3(int from, int to, int flags) {
  FAIL(dup3);
  return NEXT(dup3)(from, to, flags);
}

static int is_write_error(int error) { return error == EROFS || error == ENOSPC || error == EDQUOT; }

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const int is_ours = injection && strcmp(path, getenv("INJECT")) == 0, error = is_ours ? 0 : fault(call_open);
  if (error && (flags & O_CREAT || !is_write_error(error)))
    return errno = error, -1;
  return NEXT(open)(path, flags, mode);
}

int fstat(int fd, struct stat* status) {
  FAIL(fstat);
  return NEXT(fstat)(fd, status);
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  FAIL_OR_CUT(pread, size);
  return NEXT(pread)(fd, buffer, size, offset);
}

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** list) {
  const int error = fault(call_getaddrinfo);
  if (error > 0 && error < GAI)
    return errno = error, EAI_SYSTEM;
  return error ? GAI - error : NEXT(getaddrinfo)(node, service, hints, list);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  const int error = fault(call_pthread_create);
  return error ? error : NEXT(pthread_create)(thread, attributes, run, argument);
}

int close(int fd) {
  const int result = NEXT(close)(fd);
  FAIL(close);
  return result;
}

int pipe2(int ends[2], int flags) {
  FAIL(pipe2);
  return NEXT(pipe2)(ends, flags);
}

ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size, unsigned flags) {
  FAIL_OR_CUT(splice, size);
  return NEXT(splice)(from, from_offset, to, to_offset, size, flags);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  FAIL(ioctl);
  return NEXT(ioctl)(fd, request, argument);
}

void* mmap(void* where, size_t size, int protection, int flags, int fd, off_t offset) {
  const int error = size == sizeof *injection ? 0 : fault(call_mmap);
  if (error > 0)
    return errno = error, MAP_FAILED;
  return NEXT(mmap)(where, size, protection, flags, fd, offset);
}

/* dlsym() itself may allocate, so these do not use it. */
void* malloc(size_t size) { return fault(call_malloc) ? errno = ENOMEM, NULL : __libc_malloc(size); }

void* calloc(size_t count, size_t size) {
  return fault(call_calloc) ? errno = ENOMEM, NULL : __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  return fault(call_realloc) ? errno = ENOMEM, NULL : __libc_realloc(memory, size);
}
