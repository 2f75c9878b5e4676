/* SPDX-License-Identifier: MIT */
/* minimal [THREADS]: the least that relays SOCKS4: a request in one piece, CONNECT, no rules, limits, log or urgent
   bytes. Each thread has an epoll set; bytes go by splice(2) through a pipe that is borrowed while there are some. */
#include "socks.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

enum { PIPE_SIZE = 262144, FREE_PIPES = 64, EVENTS = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };

struct pipe {
  int ends[2]; /* to read from, to write to */
};

struct end {
  struct end* other;
  int fd;
  struct pipe pipe; /* of what came from here */
  unsigned held;
  unsigned char readable, writable, hung_up, done, over, is_client, connecting;
};

struct relay {
  struct end client, server; /* first, as an end is found from the other one */
};

static int listening;
static __thread int epfd;
static __thread struct pipe free_pipes[FREE_PIPES];
static __thread int free_count;
static __thread struct relay* graveyard[1024]; /* those that ended: an event of the same batch may name them */
static __thread int dead;

static int borrow(struct pipe* pipe) {
  if (free_count > 0) {
    *pipe = free_pipes[--free_count];
    return 1;
  }
  if (pipe2(pipe->ends, O_NONBLOCK | O_CLOEXEC) < 0)
    return 0;
  fcntl(pipe->ends[1], F_SETPIPE_SZ, PIPE_SIZE);
  return 1;
}

static void give_back(struct pipe* pipe, int is_empty) {
  if (is_empty && free_count < FREE_PIPES) {
    free_pipes[free_count++] = *pipe;
    return;
  }
  close(pipe->ends[0]);
  close(pipe->ends[1]);
}

static void watch(struct end* end) {
  struct epoll_event event = {.events = EVENTS, .data.ptr = end};
  epoll_ctl(epfd, EPOLL_CTL_ADD, end->fd, &event);
}

static struct relay* relay_of(struct end* end) { return (struct relay*)(end->is_client ? end : end->other); }

static void bury(struct relay* relay) {
  struct end* ends[] = {&relay->client, &relay->server};
  for (int i = 0; i < 2; ++i) {
    if (ends[i]->held)
      give_back(&ends[i]->pipe, 0);
    if (ends[i]->fd >= 0)
      close(ends[i]->fd);
    ends[i]->over = 1;
  }
  graveyard[dead++] = relay;
}

/* 0: the connection is broken. */
static int flush(struct end* from, struct end* to) {
  while (from->held && to->writable) {
    ssize_t done = splice(from->pipe.ends[0], NULL, to->fd, NULL, from->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (done < 0 && errno != EAGAIN)
      return 0;
    to->writable = done >= 0;
    from->held -= done > 0 ? done : 0;
    if (!from->held)
      give_back(&from->pipe, 1);
  }
  return 1;
}

/* A read that was short has emptied the socket, unless the other side has closed. */
static int move(struct end* from, struct end* to) {
  while (flush(from, to) && !from->held && from->readable && to->writable && !from->done) {
    if (!borrow(&from->pipe))
      return 0;
    ssize_t done = splice(from->fd, NULL, from->pipe.ends[1], NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    from->readable = done >= PIPE_SIZE || (done > 0 && from->hung_up);
    from->held = done > 0 ? done : 0;
    if (done <= 0)
      give_back(&from->pipe, 1);
    if (done < 0 && errno != EAGAIN)
      return 0;
    if (done == 0) {
      from->done = 1;
      shutdown(to->fd, SHUT_WR);
    }
  }
  return !(from->done && to->done);
}

static int request_arrived(struct relay* relay) {
  struct {
    unsigned char version, command;
    in_port_t port;
    in_addr_t address;
    char rest[512];
  } asked;
  struct sockaddr_in to = {.sin_family = AF_INET};
  ssize_t got = recv(relay->client.fd, &asked, sizeof asked, 0);
  if (got < 9 || asked.version != 4 || asked.command != 1)
    return got < 0 && errno == EAGAIN;
  to.sin_port = asked.port;
  to.sin_addr.s_addr = asked.address;
  int fd = relay->server.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (fd < 0 || (connect(fd, (struct sockaddr*)&to, sizeof to) < 0 && errno != EINPROGRESS))
    return 0;
  relay->server.connecting = 1;
  watch(&relay->server);
  return 1;
}

static int connected(struct relay* relay) {
  static const char granted[8] = {0, 90};
  relay->server.connecting = 0;
  relay->client.readable = relay->client.writable = 1;
  return send(relay->client.fd, granted, 8, MSG_NOSIGNAL) == 8;
}

static int ready(struct end* end, unsigned events) {
  struct relay* relay = relay_of(end);
  end->hung_up |= (events & EPOLLRDHUP) != 0;
  if (relay->server.fd < 0)
    return events & EPOLLIN ? request_arrived(relay) : !(events & EPOLLERR);
  if (events & EPOLLERR || (relay->server.connecting && end->is_client))
    return !(events & (EPOLLERR | EPOLLHUP));
  if (relay->server.connecting && !connected(relay))
    return 0;
  end->readable |= (events & EPOLLIN) != 0;
  end->writable |= (events & EPOLLOUT) != 0;
  return move(end, end->other) && move(end->other, end);
}

static void accept_some(void) {
  for (int i = 0, fd; i < 64 && (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; ++i) {
    struct relay* relay = calloc(1, sizeof *relay);
    relay->client.fd = fd;
    relay->client.is_client = 1;
    relay->client.other = &relay->server;
    relay->server.fd = -1;
    relay->server.other = &relay->client;
    watch(&relay->client);
  }
}

static void* serve(void* unused) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE}, events[256];
  epfd = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(epfd, EPOLL_CTL_ADD, listening, &event);
  for (;;) {
    int count = epoll_wait(epfd, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      struct end* end = events[i].data.ptr;
      if (!end)
        accept_some();
      else if (!end->over && !ready(end, events[i].events))
        bury(relay_of(end));
    }
    while (dead > 0)
      free(graveyard[--dead]);
  }
  return unused;
}

int main(int argc, char** argv) {
  begin("127.0.0.1:0", ECHO);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* it never outlives the bench */
  listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  socklen_t length = sizeof first_hop;
  int one = 1;
  setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  expect(bind(listening, (struct sockaddr*)&first_hop, length) == 0 && listen(listening, 4096) == 0, "listen");
  getsockname(listening, (struct sockaddr*)&first_hop, &length);
  printf("listening on 127.0.0.1:%d\n", ntohs(first_hop.sin_port));
  fflush(stdout);
  for (int i = 1; i < (argc > 1 ? atoi(argv[1]) : 1); ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, serve, NULL);
  }
  serve(NULL);
}
