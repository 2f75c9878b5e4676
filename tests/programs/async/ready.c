/* SPDX-License-Identifier: MIT */
/* async_ready WAY.CASE: a non-blocking connect() as each way of waiting shows it. Compiled with _FORTIFY_SOURCE, so that
   a poll() or ppoll() on an array of known size is __poll_chk() or __ppoll_chk(). */
#define _FORTIFY_SOURCE 2
#include "slow.h"

/* A way: what it tells of fd when asked for these events of poll(), within so many milliseconds (-1: for ever). */
typedef unsigned way(int fd, unsigned asked, int milliseconds);

static struct timespec *in(int milliseconds) {
  static __thread struct timespec time;
  time.tv_sec = milliseconds / 1000;
  time.tv_nsec = milliseconds % 1000 * 1000000L;
  return milliseconds < 0 ? NULL : &time;
}

/* Pointers of unknown size: the plain functions. */
__attribute__((noinline)) static int plain_poll(struct pollfd *fds, int n, int milliseconds) { return poll(fds, n, milliseconds); }
__attribute__((noinline)) static int plain_ppoll(struct pollfd *fds, int n, int milliseconds) {
  return ppoll(fds, n, in(milliseconds), NULL);
}

static unsigned one_of(int ready, const struct pollfd *one) {
  if (ready < 0)
    die("poll");
  if (ready != (one->revents != 0))
    fact("poll: %d, but %s", ready, events(one->revents));
  return one->revents;
}
static unsigned by_poll(int fd, unsigned asked, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = asked}};
  return one_of(plain_poll(one, 1, milliseconds), one);
}
static unsigned by_ppoll(int fd, unsigned asked, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = asked}};
  return one_of(plain_ppoll(one, 1, milliseconds), one);
}
static volatile int how_many = 1;
static unsigned by_poll_chk(int fd, unsigned asked, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = asked}};
  return one_of(poll(one, how_many, milliseconds), one);
}
static unsigned by_ppoll_chk(int fd, unsigned asked, int milliseconds) {
  struct pollfd one[1] = {{.fd = fd, .events = asked}};
  return one_of(ppoll(one, how_many, in(milliseconds), NULL), one);
}

struct sets {
  fd_set in, out, pri;
};
static struct sets sets_for(int fd, unsigned asked) {
  struct sets sets;
  FD_ZERO(&sets.in);
  FD_ZERO(&sets.out);
  FD_ZERO(&sets.pri);
  if (asked & POLLIN)
    FD_SET(fd, &sets.in);
  if (asked & POLLOUT)
    FD_SET(fd, &sets.out);
  FD_SET(fd, &sets.pri);
  return sets;
}
static unsigned found(int ready, int fd, const struct sets *sets) {
  if (ready < 0)
    die("select");
  unsigned seen = (FD_ISSET(fd, &sets->in) ? POLLIN : 0) | (FD_ISSET(fd, &sets->out) ? POLLOUT : 0) |
                  (FD_ISSET(fd, &sets->pri) ? POLLPRI : 0);
  if (ready != __builtin_popcount(seen))
    fact("select: %d, but %s", ready, events(seen));
  return seen;
}
static unsigned by_select(int fd, unsigned asked, int milliseconds) {
  struct sets sets = sets_for(fd, asked);
  struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
  return found(select(fd + 1, &sets.in, &sets.out, &sets.pri, milliseconds < 0 ? NULL : &time), fd, &sets);
}
static unsigned by_pselect(int fd, unsigned asked, int milliseconds) {
  struct sets sets = sets_for(fd, asked);
  return found(pselect(fd + 1, &sets.in, &sets.out, &sets.pri, in(milliseconds), NULL), fd, &sets);
}

/* epoll: a registration that lasts as long as the test, of everything, and what is not asked for now is not looked at. */
static int set = -1;
static uint64_t word = 0x123456789abcdef0;
static unsigned flags;
static void enter(int fd, int operation) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | flags, .data.u64 = word};
  if (!(flags & EPOLLEXCLUSIVE)) /* which does not go with it */
    event.events |= EPOLLRDHUP;
  if (epoll_ctl(set, operation, fd, &event) != 0)
    fact("epoll_ctl: %s", strerrorname_np(errno));
}
static unsigned seen(int ready, const struct epoll_event *event, unsigned asked) {
  if (ready < 0)
    die("epoll");
  if (ready > 0 && event->data.u64 != word)
    fact("epoll: data %llx", (unsigned long long)event->data.u64);
  return ready > 0 ? event->events & (asked | EPOLLERR | EPOLLHUP | EPOLLRDHUP) : 0;
}
static unsigned by_epoll(int fd, unsigned asked, int milliseconds) {
  struct epoll_event event = {0};
  if (set < 0)
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
  return seen(epoll_wait(set, &event, 1, milliseconds), &event, asked);
}
static unsigned by_epoll_pwait(int fd, unsigned asked, int milliseconds) {
  struct epoll_event event = {0};
  sigset_t none;
  sigemptyset(&none);
  if (set < 0)
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
  return seen(epoll_pwait(set, &event, 1, milliseconds, &none), &event, asked);
}
static unsigned by_epoll_pwait2(int fd, unsigned asked, int milliseconds) {
  struct epoll_event event = {0};
  if (set < 0)
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
  return seen(epoll_pwait2(set, &event, 1, in(milliseconds), NULL), &event, asked);
}
static unsigned by_nested_epoll(int fd, unsigned asked, int milliseconds) {
  static int outer = -1;
  struct epoll_event event = {.events = EPOLLIN};
  if (set < 0) {
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
    outer = epoll_create1(0), epoll_ctl(outer, EPOLL_CTL_ADD, set, &event);
  }
  return epoll_wait(outer, &event, 1, milliseconds) > 0 ? by_epoll(fd, asked, 0) : 0;
}
static unsigned by_polled_epoll(int fd, unsigned asked, int milliseconds) {
  if (set < 0)
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
  return by_poll(set, POLLIN, milliseconds) ? by_epoll(fd, asked, 0) : 0;
}
static unsigned by_selected_epoll(int fd, unsigned asked, int milliseconds) {
  if (set < 0)
    set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD);
  return by_select(set, POLLIN, milliseconds) ? by_epoll(fd, asked, 0) : 0;
}

static const struct {
  const char *name;
  way *way;
  unsigned flags;
  int is_early; /* registered before connect() */
} ways[] = {
    {"poll", by_poll, 0, 0},
    {"ppoll", by_ppoll, 0, 0},
    {"poll_chk", by_poll_chk, 0, 0},
    {"ppoll_chk", by_ppoll_chk, 0, 0},
    {"select", by_select, 0, 0},
    {"pselect", by_pselect, 0, 0},
    {"epoll", by_epoll, 0, 0},
    {"epoll-early", by_epoll, 0, 1},
    {"epoll-edge", by_epoll, EPOLLET, 0},
    {"epoll-edge-early", by_epoll, EPOLLET, 1},
    {"epoll-oneshot", by_epoll, EPOLLONESHOT, 0},
    {"epoll-oneshot-early", by_epoll, EPOLLONESHOT, 1},
    {"epoll-edge-oneshot", by_epoll, EPOLLET | EPOLLONESHOT, 0},
    {"epoll-exclusive", by_epoll, EPOLLEXCLUSIVE, 0},
    {"epoll-exclusive-early", by_epoll, EPOLLEXCLUSIVE | EPOLLET, 1},
    {"epoll-pwait", by_epoll_pwait, 0, 0},
    {"epoll-pwait2", by_epoll_pwait2, 0, 0},
    {"epoll-nested", by_nested_epoll, 0, 0},
    {"epoll-nested-edge", by_nested_epoll, EPOLLET, 1},
    {"epoll-polled", by_polled_epoll, 0, 0},
    {"epoll-selected", by_selected_epoll, 0, 0},
};

static way *ready;
static struct server server;
static int fd;

static void look(const char *when, unsigned asked, int milliseconds) { fact("%s: %s", when, events(ready(fd, asked, milliseconds))); }

/* connect(), and nothing is ready as long as nothing has come of it. */
static void begin(int code) {
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLIN | POLLOUT, 0);
  look("soon", POLLIN | POLLOUT, 10);
  tell(&server, "await 1");
  look("with the request at the server", POLLIN | POLLOUT, 10);
  fact("peer: %s, SO_ERROR: %s", ask(getpeername, fd), so_error(fd));
  tell(&server, "drip 7 %d", code);
  look("with 7 bytes of the reply", POLLIN | POLLOUT, 10);
}

static void granted(void) {
  begin(90);
  tell(&server, "grant");
  look("granted", POLLIN | POLLOUT, -1);
  look("asked again", POLLIN | POLLOUT, 0);
  look("asked to read", POLLIN, 0);
  connected(fd, &server);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  look("after all", POLLIN | POLLOUT, 0);
  tell(&server, "end");
  fact("its end: %zd", read(fd, &(char){0}, 1));
  look("after its end", POLLIN | POLLOUT, 0);
}

static void reads(const char *expected) {
  char words[16] = "";
  size_t got = 0;
  ssize_t n;
  while (got < strlen(expected) && (n = recv(blocking(fd), words + got, strlen(expected) - got, 0)) > 0)
    got += n;
  fact("words: %s", words);
}

/* Only writing is waited for, and what the server says comes in the same segment as the last byte of the reply. */
static void glued(void) {
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLOUT, 10);
  tell(&server, "grant words");
  look("granted", POLLOUT, -1);
  fact("connect: %s", result(reach(fd, &server)));
  reads("words");
  look("read", POLLIN, 0);
}

static void awaiting_input(void) {
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLIN, 10);
  tell(&server, "grant");
  tell(&server, "say words"); /* comes when the connection is there */
  unsigned seen_events = 0;
  for (int tries = 0; !(seen_events & POLLIN) && tries < 300; ++tries)
    seen_events |= ready(fd, POLLIN, 100);
  fact("granted: %s", events(seen_events & POLLIN));
  reads("words\n");
  connected(fd, &server);
}

static void failed(const char *how) {
  begin(91);
  tell(&server, "%s", how);
  look("refused", POLLIN | POLLOUT, -1);
  look("asked again", POLLIN | POLLOUT, 0);
  fact("SO_ERROR: %s", so_error(fd));
  fact("SO_ERROR: %s", so_error(fd));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("peer: %s", ask(getpeername, fd));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("connect: %s", result(reach(fd, &server)));
  look("anew", POLLIN | POLLOUT, 10);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "grant");
  if (flags & EPOLLONESHOT)
    enter(fd, EPOLL_CTL_MOD);
  look("granted", POLLIN | POLLOUT, -1);
  connected(fd, &server);
}
static void refused(void) { failed("refuse"); }
static void closed(void) { failed("close"); }
static void reset(void) { failed("reset"); }

/* connect() is asked for the outcome instead of SO_ERROR. */
static void asked(void) {
  begin(91);
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "refuse");
  look("refused", POLLIN | POLLOUT, -1);
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  fact("SO_ERROR: %s", so_error(fd));
  look("afterwards", POLLIN | POLLOUT, 0);
  fact("connect: %s", result(reach(fd, &server)));
  look("anew", POLLIN | POLLOUT, 10);
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {{"granted", granted}, {"glued", glued}, {"input", awaiting_input}, {"refused", refused}, {"asked", asked},
             {"closed", closed}, {"reset", reset}};

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : "list";
  signal(SIGPIPE, SIG_IGN);
  for (size_t w = 0; w < sizeof ways / sizeof *ways; ++w)
    for (size_t c = 0; c < sizeof cases / sizeof *cases; ++c) {
      char name[64];
      snprintf(name, sizeof name, "%s.%s", ways[w].name, cases[c].name);
      if (strcmp(wanted, "list") == 0)
        puts(name);
      if (strcmp(wanted, name) != 0)
        continue;
      server = slow_server();
      fd = nonblocking_socket();
      ready = ways[w].way;
      flags = ways[w].flags;
      if (ways[w].is_early && flags & EPOLLONESHOT)
        set = epoll_create1(0), enter(fd, EPOLL_CTL_ADD); /* a look would be the one shot */
      else if (ways[w].is_early)
        look("before", POLLIN | POLLOUT, 0);
      cases[c].run();
      return 0;
    }
}
