/* SPDX-License-Identifier: MIT */
/* bind(), getsockname(), listen(), accept(): the specification's sequence. $ADVERTISED is the IP that the SOCKS server
   listens at, $CALLER the one that it reports for the call. */
#include "bind/bind/calls.h"

static void check_addresses(int accepted, const char* name, const struct sockaddr_storage* caller) {
  char caller_text[80];
  snprintf(caller_text, sizeof caller_text, "%s", address_text(caller));
  EXPECT_TEXT(without_port(caller_text), as_shown(getenv("CALLER")));
  EXPECT_TEXT(peer_address(accepted), caller_text);
  EXPECT_TEXT(local_address(accepted), name);
}

static int advertised_socket(char* name, size_t size) {
  int fd = tcp_socket(family());
  EXPECT_OK(bind_to(fd, any(), family()));
  snprintf(name, size, "%s", local_address(fd));
  EXPECT_TEXT(without_port(name), as_shown(getenv("ADVERTISED")));
  EXPECT_OK(listen(fd, 1));
  EXPECT_TEXT(local_address(fd), name);
  return fd;
}

TEST(typical) {
  char name[80];
  struct sockaddr_storage caller = {0};
  socklen_t length = sizeof caller;
  int primary = connect_primary(), fds = count_fds(), fd = advertised_socket(name, sizeof name);
  order_call_to(primary, name, "hello");
  errno = UNTOUCHED;
  int accepted = accept(fd, (struct sockaddr*)&caller, &length);
  EXPECT_INT(errno, UNTOUCHED);
  EXPECT_OK(accepted);
  EXPECT_INT(length, family() == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
  check_addresses(accepted, name, &caller);
  EXPECT_INT(fcntl(accepted, F_GETFD), 0);
  EXPECT_INT(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_INT(option(accepted, SO_RCVLOWAT), 1);
  close(fd);
  check_call(accepted, "hello");
  close(accepted);
  check_primary(primary);
  EXPECT_INT(count_fds(), fds);
}

/* The second reply of the SOCKS server is no grant. */
TEST(call_aborted) {
  char name[80];
  int primary = connect_primary(), fd = advertised_socket(name, sizeof name);
  order_call_to(primary, name, "hello");
  EXPECT_ERROR(accept(fd, NULL, NULL), ECONNABORTED);
}

/* The SOCKS server refuses the BIND: getsockname() and listen() fail with $ERROR, and nothing else is harmed. */
TEST(refused) {
  int primary = connect_primary(), fds = count_fds(), fd = bound_at(any());
  EXPECT_TEXT(local_address(fd), getenv("ERROR"));
  close(fd);
  fd = bound_at(any());
  EXPECT_TEXT(result(listen(fd, 1)), getenv("ERROR"));
  EXPECT_TEXT(result(listen(fd, 1)), getenv("ERROR"));
  close(fd);
  check_primary(primary);
  EXPECT_INT(count_fds(), fds);
}

/* One call after the other, as for a listing and then a file. */
TEST(one_after_another) {
  int primary = connect_primary();
  for (int i = 0; i < 2; ++i) {
    int fd = listening();
    order_call(primary, fd, "again");
    int accepted = accept(fd, NULL, NULL);
    close(fd);
    check_call(accepted, "again");
    close(accepted);
  }
}

/* Two sockets wait at the same time, and the later one is called first. */
TEST(two_at_a_time) {
  int primary = connect_primary(), first = listening(), second = listening();
  order_call(primary, second, "second");
  order_call(primary, first, "first");
  check_call(accept(first, NULL, NULL), "first");
  check_call(accept(second, NULL, NULL), "second");
}

TEST(wait_by_poll) {
  int primary = connect_primary(), fd = listening();
  check_no_call(fd);
  order_call(primary, fd, "hello");
  EXPECT(has_event(fd, POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND, 30000));
  check_call(accept(fd, NULL, NULL), "hello");
  check_no_call(fd);
}

TEST(wait_by_select) {
  int primary = connect_primary(), fd = listening();
  check_no_call(fd);
  order_call(primary, fd, "hello");
  EXPECT(is_readable(fd, 30));
  check_call(accept(fd, NULL, NULL), "hello");
  check_no_call(fd);
}

static ssize_t read_to_the_end(int fd) {
  char buffer[65536];
  ssize_t got, sum = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0)
    sum += got;
  return sum;
}

/* Data floods in right behind the call. None may be lost, and a call that poll() reports must be there. */
TEST(flood) {
  enum { ROUNDS = 100, BYTES = 2000000 };
  int primary = connect_primary();
  for (int i = 0; i < ROUNDS; ++i) {
    int fd = nonblocking(listening());
    send_line(primary, "flood %s %d", as_ipv4(local_address(fd)), BYTES);
    EXPECT_TEXT(read_line(primary), "calling");
    EXPECT(has_event(fd, POLLIN, 30000));
    usleep(5 * i); /* accept() hits the flood at a different moment in each round */
    int accepted = accept(fd, NULL, NULL);
    close(fd);
    EXPECT_INT(read_to_the_end(accepted), BYTES);
    close(accepted);
  }
}
