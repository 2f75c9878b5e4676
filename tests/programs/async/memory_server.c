/* SPDX-License-Identifier: MIT */
/* memory_server IP: a SOCKS4 server that grants every request at once and then plays a silent application server. */
#include "net.h"
#include <sys/epoll.h>
#include <sys/resource.h>

static int set;

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int listener) {
  int client;
  while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
    watch(client);
}

/* A request arrives in one segment. */
static void grant(int client) {
  static const char granted[8] = {0, 90};
  char request[512];
  if (read(client, request, sizeof request) <= 0 || send(client, granted, 8, MSG_NOSIGNAL) != 8)
    close(client);
}

static int listen_at(const char* ip) {
  char where[64];
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  snprintf(where, sizeof where, "%s:0", ip);
  if (bind_to(listener, where, AF_INET) != 0 || listen(listener, 4096) != 0)
    die("listen");
  fact("memory_server: listening on %s", local_address(listener));
  return listener;
}

static void allow_many_descriptors(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char** argv) {
  struct epoll_event ready[256];
  if (argc != 2)
    return 2;
  allow_many_descriptors();
  set = epoll_create1(0);
  int listener = listen_at(argv[1]);
  watch(listener);
  for (;;) {
    int count = epoll_wait(set, ready, 256, -1);
    for (int i = 0; i < count; ++i)
      if (ready[i].data.fd == listener)
        accept_all(listener);
      else
        grant(ready[i].data.fd);
  }
}
