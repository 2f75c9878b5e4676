/* SPDX-License-Identifier: MIT */
/* destination: what clients of a proxy reach: one port that echoes, one that sends as much as is taken. */
#include "socks.h"
#include <sys/epoll.h>
#include <sys/prctl.h>

enum { MOST = 65536, CHUNK = 262144 };

static unsigned char generates[MOST];
static char bytes[CHUNK];

static int open_port(int epfd) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  expect(bind(fd, (struct sockaddr*)&address, length) == 0 && listen(fd, 4096) == 0, "listen");
  getsockname(fd, (struct sockaddr*)&address, &length);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
  printf("%d\n", ntohs(address.sin_port));
  return fd;
}

static void accept_all(int epfd, int listening, int is_generator) {
  for (int fd; (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    struct epoll_event event = {.events = is_generator ? EPOLLOUT : EPOLLIN, .data.fd = fd};
    generates[fd % MOST] = is_generator;
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
  }
}

/* 0: the connection is over. A client of the echo waits for each answer: its socket never fills. */
static int serve(int fd) {
  if (generates[fd % MOST])
    return send(fd, bytes, CHUNK, MSG_NOSIGNAL) > 0 || errno == EAGAIN;
  char echoed[1024];
  ssize_t got = recv(fd, echoed, sizeof echoed, 0);
  return got > 0 ? send(fd, echoed, got, MSG_NOSIGNAL) == got : got < 0 && errno == EAGAIN;
}

int main(void) {
  begin("127.0.0.1:0", ECHO);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int epfd = epoll_create1(0), echo = open_port(epfd), generator = open_port(epfd);
  fflush(stdout);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epfd, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == echo || fd == generator)
        accept_all(epfd, fd, fd == generator);
      else if (!serve(fd))
        close(fd);
    }
  }
}
