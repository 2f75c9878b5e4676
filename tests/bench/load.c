/* SPDX-License-Identifier: MIT */
/* load 4|5 PROXY PORT bulk MIB          reads so much; prints the seconds
   load 4|5 PROXY PORT ping-pong COUNT   a byte there and back; prints microseconds for one
   load 4|5 PROXY PORT sessions COUNT    64 at a time: connect, a byte there and back, close; prints sessions a second
   load 4|5 PROXY PORT idle COUNT        prints "held" when so many relays stand; they end with standard input
   PROXY is the IP:PORT of a SOCKS server of that version, PORT one of the bench's destination on 127.0.0.1. */
#include "socks.h"
#include <netinet/tcp.h>
#include <sys/epoll.h>

enum { AT_ONCE = 64 };

static unsigned char hello5[3] = {5, 1, 0}, request5[10] = {5, 1, 0, 1, 127, 0, 0, 1};
static int version;

enum stage { GREETED, ASKED, PLAYING, ANSWERED };

/* Says what is next in a stage; the size of the answer that is awaited then. */
static size_t say(int fd, enum stage stage) {
  static const size_t sizes5[] = {2, 10, 1}, sizes4[] = {0, 8, 1};
  const void* messages[] = {hello5, version == 5 ? (void*)request5 : (void*)&request, "x"};
  const size_t lengths[] = {sizeof hello5, version == 5 ? sizeof request5 : sizeof request, 1};
  expect(send(fd, messages[stage], lengths[stage], MSG_NOSIGNAL) == (ssize_t)lengths[stage], "send");
  return version == 5 ? sizes5[stage] : sizes4[stage];
}

static void hear(int fd, enum stage stage, size_t size) {
  unsigned char answer[16];
  expect(recv(fd, answer, size, MSG_WAITALL) == (ssize_t)size, "no answer");
  expect(stage != ASKED || (version == 4 ? answer[1] == 90 : answer[1] == 0), "refused");
}

static enum stage first_stage(void) { return version == 5 ? GREETED : ASKED; }

static int dial(int linger) {
  int fd = linger ? tcp_socket(0) : socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  expect(fd >= 0 && start_connect(fd) == 0, "connect");
  return fd;
}

static int relay(void) {
  int fd = dial(1);
  for (enum stage stage = first_stage(); stage < PLAYING; ++stage)
    hear(fd, stage, say(fd, stage));
  return fd;
}

static double bulk(long mib) {
  static char bytes[1 << 20];
  int fd = relay();
  double began = now_us();
  for (ssize_t left = mib << 20, got; left > 0; left -= got)
    expect((got = recv(fd, bytes, sizeof bytes, MSG_TRUNC)) > 0, "recv");
  return (now_us() - began) / 1e6;
}

static double ping_pong(long count) {
  int fd = relay();
  double began = now_us();
  for (long i = 0; i < count; ++i)
    hear(fd, PLAYING, say(fd, PLAYING));
  return (now_us() - began) / count;
}

static void begin_session(int epfd, enum stage* stages, size_t* sizes) {
  int fd = dial(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  stages[fd] = first_stage();
  sizes[fd] = say(fd, stages[fd]);
  epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
}

static double sessions(long count) {
  static enum stage stages[4 * AT_ONCE];
  static size_t sizes[4 * AT_ONCE];
  int epfd = epoll_create1(0);
  long begun = 0, ended = 0;
  double began = now_us();
  for (; begun < AT_ONCE; ++begun)
    begin_session(epfd, stages, sizes);
  while (ended < count) {
    struct epoll_event events[AT_ONCE];
    int ready = epoll_wait(epfd, events, AT_ONCE, 10000);
    expect(ready > 0, "stands still");
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      hear(fd, stages[fd], sizes[fd]);
      if (++stages[fd] < ANSWERED) {
        sizes[fd] = say(fd, stages[fd]);
        continue;
      }
      close(fd);
      ++ended;
      if (begun++ < count)
        begin_session(epfd, stages, sizes);
    }
  }
  return ended / (now_us() - began) * 1e6;
}

static void idle(long count) {
  char byte;
  for (long i = 0; i < count; ++i)
    relay();
  puts("held");
  fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
}

int main(int argc, char** argv) {
  expect(argc == 6, "arguments");
  version = atoi(argv[1]);
  begin(argv[2], atoi(argv[3]));
  request.address = htonl(INADDR_LOOPBACK);
  memcpy(request5 + 8, &request.port, 2);
  long amount = atol(argv[5]);
  if (strcmp(argv[4], "idle") == 0)
    idle(amount);
  else
    printf("%f\n", *argv[4] == 'b' ? bulk(amount) : *argv[4] == 'p' ? ping_pong(amount) : sessions(amount));
}
