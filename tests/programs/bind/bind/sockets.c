/* SPDX-License-Identifier: MIT */
/* What a program can see of the listening socket and of the accepted one. */
#include "bind/bind/calls.h"

TEST(accept_without_address) {
  int primary = connect_primary(), fd = listening();
  order_call(primary, fd, "hello");
  int accepted = accept(fd, NULL, NULL);
  EXPECT_OK(accepted);
  EXPECT_TEXT(without_port(peer_address(accepted)), as_shown(getenv("CALLER")));
  check_call(accepted, "hello");
}

static int flags_of(int fd) { return fcntl(fd, F_GETFL) * 256 + fcntl(fd, F_GETFD); }

static void check_flags(int fd, int cloexec, int nonblocking) {
  EXPECT_INT(fcntl(fd, F_GETFD) == FD_CLOEXEC, cloexec);
  EXPECT_INT((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, nonblocking);
}

TEST(accept4_sets_flags) {
  int primary = connect_primary(), fd = listening(), flags = flags_of(fd);
  order_call(primary, fd, "one");
  EXPECT(has_event(fd, POLLIN, 30000));
  check_flags(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), 1, 1);
  EXPECT_INT(flags_of(fd), flags);
  EXPECT_ERROR(accept4(listening(), NULL, NULL, 1), EINVAL);
}

TEST(accept_inherits_no_flags) {
  int primary = connect_primary(), fd = nonblocking(listening());
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  EXPECT_ERROR(accept(fd, NULL, NULL), EAGAIN);
  order_call(primary, fd, "two");
  EXPECT(has_event(fd, POLLIN, 30000));
  check_flags(accept(fd, NULL, NULL), 0, 0);
  check_flags(fd, 1, 1);
}

static void check_listening(int fd) {
  EXPECT_INT(option(fd, SO_ACCEPTCONN), 1);
  EXPECT_TEXT(so_error(fd), "0");
  EXPECT_TEXT(peer_address(fd), "ENOTCONN");
}

/* After accept(), the listening socket and the connection are independent. */
TEST(silent_after_accept) {
  char name[80], byte;
  int primary = connect_primary(), fd = listening();
  snprintf(name, sizeof name, "%s", local_address(fd));
  check_listening(fd);
  order_call_to(primary, name, "hello");
  int accepted = accept(fd, NULL, NULL);
  check_listening(fd);
  EXPECT_INT(option(accepted, SO_ACCEPTCONN), 0);
  EXPECT_TEXT(local_address(fd), name);
  check_no_call(fd);
  EXPECT_ERROR(read(fd, &byte, 1), ENOTCONN);
  EXPECT_OK(shutdown(fd, SHUT_WR));
  EXPECT_ERROR(read(fd, &byte, 1), ENOTCONN);
  shutdown(fd, SHUT_RDWR);
  close(fd);
  check_call(accepted, "hello");
  shutdown(accepted, SHUT_WR);
  EXPECT_TEXT(read_line(accepted), "end");
}

TEST(listen_without_bind) {
  int primary = connect_primary(), fd = tcp_socket(family());
  EXPECT_TEXT(local_address(fd), "0.0.0.0:0");
  EXPECT_OK(listen(fd, 1));
  order_call(primary, fd, "unbound");
  check_call(accept(fd, NULL, NULL), "unbound");
}

TEST(fixed_port) {
  int primary = connect_primary(), fd = listening_at("0.0.0.0:47113");
  order_call(primary, fd, "fixed");
  check_call(accept(fd, NULL, NULL), "fixed");
}

/* FTP clients bind to the local address of the control connection. */
TEST(address_of_primary) {
  char where[80];
  int primary = connect_primary();
  snprintf(where, sizeof where, "%s:0", without_port(local_address(primary)));
  int fd = listening_at(where);
  order_call(primary, fd, "reported");
  check_call(accept(fd, NULL, NULL), "reported");
}

TEST(bind_twice) {
  connect_primary();
  EXPECT_ERROR(bind_to(listening(), any(), family()), EINVAL);
}

/* A call never writes more than fits into the buffer, and returns the length of the whole address. */
static void check_buffer_sizes(address_call* call, int fd) {
  unsigned char whole[128], part[128], untouched[128];
  socklen_t length = sizeof whole, full;
  memset(untouched, 0xaa, sizeof untouched);
  EXPECT_OK(call(fd, (struct sockaddr*)whole, &length));
  full = length;
  EXPECT_INT(full, family() == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
  for (socklen_t size = 0; size <= sizeof part; ++size) {
    memcpy(part, untouched, sizeof part);
    length = size;
    EXPECT_OK(call(fd, (struct sockaddr*)part, &length));
    EXPECT_INT(length, full);
    EXPECT_INT(memcmp(part, whole, size < full ? size : full), 0);
    EXPECT_INT(memcmp(part + size, untouched, sizeof part - size), 0);
  }
  length = 16;
  EXPECT_ERROR(call(fd, NULL, &length), EFAULT);
}

TEST(buffers) {
  struct sockaddr_storage any_address = {.ss_family = family()};
  struct sockaddr_in caller;
  socklen_t length = 4;
  int primary = connect_primary(), fd = tcp_socket(family());
  EXPECT_OK(bind(fd, (struct sockaddr*)&any_address, 128));
  check_buffer_sizes(getsockname, primary);
  check_buffer_sizes(getpeername, primary);
  check_buffer_sizes(getsockname, fd);
  listen(fd, 1);
  order_call(primary, fd, "hello");
  memset(&caller, 0xaa, sizeof caller);
  int accepted = accept(fd, (struct sockaddr*)&caller, &length);
  EXPECT_INT(caller.sin_family, family());
  EXPECT_INT(length, family() == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
  EXPECT_INT(caller.sin_addr.s_addr, 0xaaaaaaaa);
  check_buffer_sizes(getsockname, accepted);
  check_buffer_sizes(getpeername, accepted);
}

/* One process listens, and another one accepts. */
TEST(child_accepts) {
  int primary = connect_primary(), fd = listening();
  if (fork() == 0) {
    order_call(primary, fd, "hello");
    check_call(accept(fd, NULL, NULL), "hello");
    _exit(failed_expectations);
  }
  close(fd);
  EXPECT_INT(exit_status_of_child(), 0);
  check_primary(primary);
}

/* The call comes from $STRANGER, a second address of the application server: nothing of it reaches the program. */
TEST(stranger) {
  int primary = connect_primary(), fd = listening();
  send_line(primary, "call-from %s %s hello", getenv("STRANGER"), local_address(fd));
  EXPECT_TEXT(read_line(primary), "calling");
  EXPECT_ERROR(accept(fd, NULL, NULL), ECONNABORTED);
  check_no_call(fd);
  check_primary(primary);
}
