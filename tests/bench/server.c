/* SPDX-License-Identifier: MIT */
/* server: a SOCKS server (4, and 5 without authentication) that connects to nowhere: it is itself what the client wants
   to reach, as the port of the request says. One thread; each step costs a system call or two, so that it is not what
   is measured. */
#include "socks.h"
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

enum { MOST = 65536, CHUNK = 262144 };

enum stage { GREETING, REQUEST, LATE, GRANTED };

static struct connection {
  enum stage stage;
  enum service service;
  unsigned generation;
  int version;
} connections[MOST];

/* Replies to be sent later, in order, as all wait for the same time. */
static struct {
  int fd;
  unsigned generation;
  double due_us;
} queue[MOST];
static unsigned first, last;

static char zeros[CHUNK];

static void end(int fd) {
  connections[fd].generation++;
  close(fd);
}

static int serve(int fd) {
  static char bytes[65536];
  struct connection* this = &connections[fd];
  ssize_t done;
  if (this->service == GENERATE) {
    while ((done = send(fd, zeros, CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
      ;
    return errno == EAGAIN;
  }
  while ((done = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    if (this->service == SINK)
      continue;
    else if (send(fd, bytes, done, MSG_NOSIGNAL | MSG_DONTWAIT) != done)
      return 0;
    else if (done < (ssize_t)sizeof bytes)
      return 1;
  return done < 0 && errno == EAGAIN;
}

static int grant(int fd) {
  static const char reply4[8] = {0, 90}, reply5[10] = {5, 0, 0, 1};
  struct connection* this = &connections[fd];
  this->stage = GRANTED;
  int is_sent = this->version == 4 ? send(fd, reply4, 8, MSG_NOSIGNAL) == 8 : send(fd, reply5, 10, MSG_NOSIGNAL) == 10;
  return is_sent && (this->service != GENERATE || serve(fd));
}

static int take_request(int fd, int service) {
  struct connection* this = &connections[fd];
  this->service = service;
  if (service != LATE_ECHO)
    return grant(fd);
  this->stage = LATE;
  queue[last % MOST].fd = fd;
  queue[last % MOST].generation = this->generation;
  queue[last++ % MOST].due_us = now_us() + LATENESS_MS * 1000;
  return 1;
}

/* Every client here sends a message as a whole. 0: the connection is over. */
static int step(int fd) {
  unsigned char bytes[1024];
  struct connection* this = &connections[fd];
  if (this->stage == LATE)
    return 1;
  if (this->stage == GRANTED)
    return serve(fd);
  ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN)
    return 1;
  if (got < 3)
    return 0;
  this->version = bytes[0];
  if (bytes[0] == 4 && got > 8)
    return take_request(fd, bytes[2] << 8 | bytes[3]);
  if (bytes[0] == 5 && this->stage == GREETING) {
    this->stage = REQUEST;
    return send(fd, "\5\0", 2, MSG_NOSIGNAL) == 2;
  }
  return bytes[0] == 5 && got >= 10 && take_request(fd, bytes[got - 2] << 8 | bytes[got - 1]);
}

static void accept_all(int epfd, int listening) {
  for (int fd; (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    if (fd >= MOST) {
      close(fd);
      continue;
    }
    connections[fd].stage = GREETING;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
    epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
  }
}

/* Sends what is due; returns for how long nothing else will be, NULL for ever. */
static struct timespec* answer_the_late(void) {
  static struct timespec left;
  for (; first != last; first++) {
    int fd = queue[first % MOST].fd;
    if (connections[fd].generation != queue[first % MOST].generation)
      continue;
    double us = queue[first % MOST].due_us - now_us();
    if (us > 0) {
      left.tv_sec = us / 1e6;
      left.tv_nsec = (us - left.tv_sec * 1e6) * 1e3;
      return &left;
    }
    if (!grant(fd) || !step(fd))
      end(fd);
  }
  return NULL;
}

int main(int argc, char** argv) {
  begin(argc > 1 ? argv[1] : "127.0.0.1:0", ECHO);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* it never outlives the bench */
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epfd = epoll_create1(0);
  socklen_t length = sizeof first_hop;
  expect(bind(listening, (struct sockaddr*)&first_hop, length) == 0 && listen(listening, 4096) == 0, "listen");
  getsockname(listening, (struct sockaddr*)&first_hop, &length);
  int fast = 4096; /* TCP Fast Open, where the system lets servers take it */
  setsockopt(listening, IPPROTO_TCP, TCP_FASTOPEN, &fast, sizeof fast);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[256];
  epoll_ctl(epfd, EPOLL_CTL_ADD, listening, &event);
  printf("listening on port :%d\n", ntohs(first_hop.sin_port));
  fflush(stdout);
  for (;;) {
    int count = epoll_pwait2(epfd, events, 256, answer_the_late(), NULL);
    for (int i = 0; i < count; ++i)
      if (events[i].data.fd == listening)
        accept_all(epfd, listening);
      else if (!step(events[i].data.fd))
        end(events[i].data.fd);
  }
}
