/* SPDX-License-Identifier: MIT */
/* Calls that must not wait, or not for long. */
#include "async/early/calls.h"

/* SO_SNDTIMEO limits connect(). */
TEST(send_timeout) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  struct timeval limit = {.tv_usec = 50000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  fact("write: %s", returned(by_write(fd)));
  fact("peer: %s, SO_ERROR: %s", peer_address(fd), so_error(fd));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect: %s", result(reach(fd, &server)));
  check_connected(fd, &server);
}

/* SO_RCVTIMEO and SO_SNDTIMEO limit calls that wait for the connection. */
TEST(timeouts) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  struct timeval limit = {.tv_usec = 30000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i)
    fact("%s: %s", calls[i].name, returned(calls[i].run(fd)));
}

TEST(dont_wait) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  struct msghdr empty = {.msg_iov = parts, .msg_iovlen = 2};
  struct mmsghdr one = {.msg_hdr = empty};
  fact("recv: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT)));
  fact("recv, peeking: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT | MSG_PEEK)));
  fact("recv, all: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT | MSG_WAITALL)));
  fact("recvfrom: %s", returned(recvfrom(fd, buffer, 6, MSG_DONTWAIT, NULL, NULL)));
  fact("recvmsg: %s", returned(recvmsg(fd, &empty, MSG_DONTWAIT)));
  fact("recvmmsg: %s", returned(recvmmsg(fd, &one, 1, MSG_DONTWAIT, NULL)));
  fact("send: %s", returned(send(fd, "x", 1, MSG_DONTWAIT)));
  fact("sendto: %s", returned(sendto(fd, "x", 1, MSG_DONTWAIT, NULL, 0)));
  fact("sendmsg: %s", returned(sendmsg(fd, &empty, MSG_DONTWAIT)));
  fact("sendmmsg: %s", returned(sendmmsg(fd, &one, 1, MSG_DONTWAIT)));
  fact("preadv2: %s", returned(preadv2(fd, parts, 2, -1, RWF_NOWAIT)));
  fact("pwritev2: %s", returned(pwritev2(fd, parts, 2, -1, RWF_NOWAIT)));
  fact("urgent: %s", returned(recv(fd, buffer, 1, MSG_DONTWAIT | MSG_OOB)));
  fact("error queue: %s", returned(recv(fd, buffer, 1, MSG_DONTWAIT | MSG_ERRQUEUE)));
  fact("zero bytes: %s", returned(read(nonblocking(fd), buffer, 0)));
  fact("zero bytes: %s", returned(write(fd, buffer, 0)));
  fact("early: %s", tell(&server, "early"));
}
