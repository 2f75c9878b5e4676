/* SPDX-License-Identifier: MIT */
/* share IP:PORT: a connection is what it is under every number and in every process: dup, fork, passed over a unix socket. */
#include "net.h"

static const char *destination;

static const char *peer(int fd) {
  const char *said = peer_address(fd);
  return strcmp(said, destination) == 0 ? "the destination" : said;
}

static int pass(int fd) {
  int pair[2], passed;
  char data = 0, room[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec one = {&data, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || sendmsg(pair[0], &message, 0) != 1 || recvmsg(pair[1], &message, 0) != 1)
    die("passing");
  memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return passed;
}

int main(int argc, char **argv) {
  (void)argc;
  destination = argv[1];
  int fd = tcp_socket(AF_INET);
  fact("connect: %s", result(connect_to(fd, destination, AF_INET)));
  fact("talk: %s", converse(fd));
  int copy = dup(fd);
  close(fd);
  fact("dup: %s", peer(copy));
  int other = dup2(copy, 77);
  close(copy);
  fact("dup2: %s", peer(other));
  int passed = pass(other);
  close(other);
  fact("passed: %s", peer(passed));
  fflush(stdout);
  if (fork() == 0) {
    fact("child: %s", peer(passed));
    send_line(passed, "echo from the child");
    fact("child: %s", read_line(passed));
    exit(0);
  }
  wait(NULL);
  send_line(passed, "echo from the parent");
  fact("parent: %s", read_line(passed));
  close(passed);

  /* The number is free again: what was known of the connection is not true of the next socket that gets it. */
  int fresh = tcp_socket(AF_INET);
  fact("the next socket: %s", peer_address(fresh));
  fact("its name: %s", local_address(fresh));

  /* Connected by a child, used by the parent. */
  fflush(stdout);
  if (fork() == 0)
    exit(connect_to(fresh, destination, AF_INET) == 0 ? 0 : 1);
  int status;
  wait(&status);
  fact("child connects: %d", status);
  fact("parent talks: %s", converse(fresh));
}
