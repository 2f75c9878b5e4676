/* SPDX-License-Identifier: MIT */
/* calls WAY OPEN [CALL...]: with that many open connections, none of them pending, prints the nanoseconds of each CALL,
   of which `proxied` is getpeername() on one of the connections and all others have nothing to do with them. */
#include "socks.h"
#include <fcntl.h>
#include <sys/epoll.h>

enum { BLOCK = 500, MOST_BLOCKS = 100000 };
static const double duration_us = 8e3;

static int zero, null, idle[2], pair[2], epfd, proxied;

static void call_read(void) {
  char byte;
  (void)!read(zero, &byte, 1);
}
static void call_write(void) { (void)!write(null, "", 1); }
static void call_poll(void) {
  struct pollfd fd = {idle[0], POLLIN, 0};
  poll(&fd, 1, 0);
}
static void call_epoll_wait(void) {
  struct epoll_event event;
  epoll_wait(epfd, &event, 1, 0);
}
static void peer_of(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  getpeername(fd, (struct sockaddr*)&address, &length);
}
static void call_getpeername(void) { peer_of(pair[0]); }
static void call_proxied(void) { peer_of(proxied); }

static const struct {
  const char* name;
  void (*call)(void);
} calls[] = {{"read", call_read},
             {"write", call_write},
             {"poll", call_poll},
             {"epoll_wait", call_epoll_wait},
             {"getpeername", call_getpeername},
             {"proxied", call_proxied}};

/* Blocks are short, so that most of them are not interrupted. */
static double measure(void (*call)(void)) {
  static double blocks[MOST_BLOCKS];
  int count = 0;
  for (double began = now_us(), at = began, next; at - began < duration_us && count < MOST_BLOCKS; at = next) {
    for (int i = 0; i < BLOCK; ++i)
      call();
    next = now_us();
    blocks[count++] = (next - at) * 1e3 / BLOCK;
  }
  return median(blocks, count);
}

int main(int argc, char** argv) {
  expect(argc > 3, "arguments");
  begin(argv[1], ECHO);
  for (int left = atoi(argv[2]); left > 0; --left)
    proxied = connection();
  zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), epfd = epoll_create1(0);
  expect(pipe(idle) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "pipe");
  struct epoll_event event = {.events = EPOLLIN};
  expect(epoll_ctl(epfd, EPOLL_CTL_ADD, idle[0], &event) == 0, "epoll_ctl");
  for (int i = 3; i < argc; ++i)
    for (size_t c = 0; c < sizeof calls / sizeof *calls; ++c)
      if (strcmp(argv[i], calls[c].name) == 0)
        printf("%f ", measure(calls[c].call));
  puts("");
}
