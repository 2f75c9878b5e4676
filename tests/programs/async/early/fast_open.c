/* SPDX-License-Identifier: MIT */
/* MSG_FASTOPEN, which connects and sends, and TCP_FASTOPEN_CONNECT. */
#include "async/early/early.h"
#include <netinet/tcp.h>
#include <sys/uio.h>

static ssize_t fast_sendto(int fd, const struct server* server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = parse_address(server->where, AF_INET, &length);
  return sendto(fd, "hello\n", 6, MSG_FASTOPEN | flags, (struct sockaddr*)&address, length);
}

static ssize_t fast_sendmsg(int fd, const struct server* server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = parse_address(server->where, AF_INET, &length);
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  return sendmsg(fd, &(struct msghdr){.msg_name = &address, .msg_namelen = length, .msg_iov = two, .msg_iovlen = 2},
                 MSG_FASTOPEN | flags);
}

static ssize_t fast_sendmmsg(int fd, const struct server* server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = parse_address(server->where, AF_INET, &length);
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  struct mmsghdr one = {.msg_hdr = {.msg_name = &address, .msg_namelen = length, .msg_iov = two, .msg_iovlen = 2}};
  int n = sendmmsg(fd, &one, 1, MSG_FASTOPEN | flags);
  return n < 0 ? n : (ssize_t)one.msg_len;
}

typedef ssize_t fast(int fd, const struct server* server, int flags);

static const struct {
  const char* name;
  fast* send;
} ways[] = {{"sendto", fast_sendto}, {"sendmsg", fast_sendmsg}, {"sendmmsg", fast_sendmmsg}};

TEST_EACH(fast_blocking, way, ways) {
  struct server server = slow_server();
  tell(&server, "grant");
  int fd = tcp_socket(AF_INET);
  fact("blocking: %s", returned(way->send(fd, &server, 0)));
  fact("comes back: %s", comes_back(fd));
  fact("peer: %s", peer_of(fd, &server));
  fact("again: %s", returned(way->send(fd, &server, 0)));
  check_requests(&server, 1);
}

TEST_EACH(fast_nonblocking, way, ways) {
  struct server server = slow_server();
  int fd = nonblocking_socket();
  fact("non-blocking: %s", returned(way->send(fd, &server, 0)));
  fact("again: %s", returned(way->send(fd, &server, 0)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("write: %s", returned(write(fd, "hello\n", 6)));
  fact("comes back: %s", comes_back(fd));
  check_requests(&server, 1);
}

TEST_EACH(fast_refused, way, ways) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  tell(&server, "refuse");
  fact("refused: %s", returned(way->send(fd, &server, 0)));
  fact("SO_ERROR: %s", so_error(fd));
}

TEST(fast_nowait) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  fact("without waiting: %s", returned(fast_sendto(fd, &server, MSG_DONTWAIT)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
}

struct sending {
  const struct server* server;
  int fd;
  volatile int answered;
};

static void* run_fast_sendto(void* argument) {
  struct sending* sending = argument;
  const char* outcome = returned(fast_sendto(sending->fd, sending->server, 0));
  fact("%s: %s", sending->answered ? "answered" : "too early", outcome);
  return NULL;
}

TEST(fast_waiting) {
  struct server server = slow_server();
  struct sending sending = {.server = &server, .fd = tcp_socket(AF_INET)};
  struct sleeper sleeper = {.run = run_fast_sendto, .argument = &sending};
  pthread_t handle = start_sleeper(&sleeper);
  tell(&server, "await 1");
  sending.answered = 1;
  tell(&server, "grant");
  pthread_join(handle, NULL);
  fact("comes back: %s", comes_back(sending.fd));
  check_requests(&server, 1);
}

/* Without MSG_FASTOPEN, a message with an address does not connect the socket. */
TEST(address_only) {
  struct server server = slow_server();
  tell(&server, "grant");
  int fd = tcp_socket(AF_INET);
  socklen_t length;
  struct sockaddr_storage address = parse_address(server.where, AF_INET, &length);
  fact("sendto: %s", returned(sendto(fd, "hello\n", 6, MSG_NOSIGNAL, (struct sockaddr*)&address, length)));
  fact("peer: %s", peer_address(fd));
  fact("connect: %s", result(reach(fd, &server)));
  fact("sendto, connected: %s", returned(sendto(fd, "hello\n", 6, 0, (struct sockaddr*)&address, length)));
  fact("comes back: %s", comes_back(fd));
}

/* Without a cookie TCP_FASTOPEN_CONNECT is an ordinary connect(). */
TEST(fast_connect) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), on = 1;
  fact("option: %s", result(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  check_connected(fd, &server);
  check_requests(&server, 1);
}
