/* SPDX-License-Identifier: MIT */
/* A connection to $DESTINATION stays what it is under every descriptor and in every process. */
#include "testing.h"

static const char* destination(void) { return getenv("DESTINATION"); }

static int connected_socket(void) {
  int fd = tcp_socket(AF_INET);
  EXPECT_OK(connect_to(fd, destination(), AF_INET));
  EXPECT_TEXT(converse(fd), "ok");
  return fd;
}

/* The descriptor that arrives when this one is sent over a Unix socket. */
static int passed(int fd) {
  int pair[2], arrived;
  char data = 0, room[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec one = {&data, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || sendmsg(pair[0], &message, 0) != 1 ||
      recvmsg(pair[1], &message, 0) != 1)
    die("sendmsg");
  memcpy(&arrived, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return arrived;
}

TEST(dups) {
  int fd = connected_socket(), copy = dup(fd);
  close(fd);
  EXPECT_TEXT(peer_address(copy), destination());
  int other = dup2(copy, 77);
  close(copy);
  EXPECT_TEXT(peer_address(other), destination());
  EXPECT_TEXT(ask_for_echo(other), "ok");
}

TEST(passed_over_unix_socket) {
  int fd = connected_socket(), arrived = passed(fd);
  close(fd);
  EXPECT_TEXT(peer_address(arrived), destination());
  EXPECT_TEXT(ask_for_echo(arrived), "ok");
}

TEST(inherited_by_child) {
  int fd = connected_socket();
  if (fork() == 0) {
    EXPECT_TEXT(peer_address(fd), destination());
    EXPECT_TEXT(ask_for_echo(fd), "ok");
    _exit(failed_expectations);
  }
  EXPECT_INT(exit_status_of_child(), 0);
  EXPECT_TEXT(ask_for_echo(fd), "ok");
}

/* What was known of a closed connection is not true of the next socket with its number. */
TEST(number_reused) {
  int fd = connected_socket();
  close(fd);
  int next = tcp_socket(AF_INET);
  EXPECT_INT(next, fd);
  EXPECT_TEXT(peer_address(next), "ENOTCONN");
  EXPECT_TEXT(local_address(next), "0.0.0.0:0");
}

TEST(connected_by_child) {
  int fd = tcp_socket(AF_INET);
  if (fork() == 0) {
    EXPECT_OK(connect_to(fd, destination(), AF_INET));
    _exit(failed_expectations);
  }
  EXPECT_INT(exit_status_of_child(), 0);
  EXPECT_TEXT(converse(fd), "ok");
}
