/* SPDX-License-Identifier: MIT */
/* bind MODE APP: a program with a connection to APP (the primary one) that waits for a call from there, as FTP clients do in
   active mode. Each mode is a function below. */
#include "net.h"
#include <sys/select.h>

static const char *app;
static int family = AF_INET, primary;

/* The address without the port, spelled as IPv4; the port differs from run to run. */
static const char *host(const char *address) {
  static char texts[4][80];
  static int turn;
  char *out = texts[turn++ % 4];
  snprintf(out, 80, "%s", address);
  if (strrchr(out, ':'))
    *strrchr(out, ':') = '\0';
  return out;
}
static const char *plain(const char *address) {
  static char out[80];
  if (strncmp(address, "[::ffff:", 8) != 0)
    return address;
  snprintf(out, sizeof out, "%.*s%s", (int)(strchr(address, ']') - address - 8), address + 8, strrchr(address, ':'));
  return out;
}

static int bound(const char *where) {
  int fd = tcp_socket(family);
  if (bind_to(fd, where, family) != 0)
    die("bind");
  return fd;
}
static int listening_at(const char *where) {
  int fd = bound(where);
  if (listen(fd, 1) != 0)
    die("listen");
  return fd;
}
static const char *any(void) { return family == AF_INET6 ? ":::0" : "0.0.0.0:0"; }

static void order(const char *where, const char *words) {
  send_line(primary, "call %s %s", plain(where), words);
  read_line(primary); /* "calling" */
}
static void order_call(int fd, const char *words) {
  char where[80];
  snprintf(where, sizeof where, "%s", local_address(fd));
  order(where, words);
}

/* Both directions of an accepted connection. */
static const char *works(int fd, const char *words) {
  const char *got = read_line(fd);
  if (strcmp(got, words) != 0)
    return got;
  send_line(fd, "abc");
  got = read_line(fd);
  return strcmp(got, "ABC") == 0 ? "ok" : got;
}

static int no_more_calls(int fd) {
  struct pollfd waiting = {.fd = fd, .events = POLLIN | POLLPRI};
  fd_set set;
  struct timeval at_once = {0};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  int silent = poll(&waiting, 1, 100) == 0 && select(fd + 1, &set, NULL, NULL, &at_once) == 0 &&
               accept(fd, NULL, NULL) == -1 && errno == EAGAIN;
  fcntl(fd, F_SETFL, flags);
  return silent;
}

/* The typical sequence of the specification. */
static void typical(void) {
  char name[80], caller[80];
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  int before = count_fds(), fd = tcp_socket(family);
  errno = UNTOUCHED;
  fact("bind: %s", result(bind_to(fd, any(), family)));
  snprintf(name, sizeof name, "%s", local_address(fd));
  fact("name: %s", host(name));
  fact("listen: %s", result(listen(fd, 1)));
  fact("name afterwards: %s", strcmp(name, local_address(fd)) == 0 ? "the same" : "another");
  order(name, "hello");
  int accepted = accept(fd, (struct sockaddr *)&address, &length);
  fact("accept: %s", result(accepted));
  if (accepted < 0)
    exit(0);
  if (errno != UNTOUCHED)
    fact("errno: %s", strerrorname_np(errno));
  snprintf(caller, sizeof caller, "%s", address_text(&address));
  fact("caller: %s", host(caller));
  fact("length: %d", (int)length);
  fact("its peer: %s", strcmp(caller, peer_address(accepted)) == 0 ? "the caller" : peer_address(accepted));
  fact("its name: %s", strcmp(name, local_address(accepted)) == 0 ? "the advertised one" : local_address(accepted));
  fact("flags: %d %d, SO_RCVLOWAT: %d", fcntl(accepted, F_GETFD), fcntl(accepted, F_GETFL) & O_NONBLOCK,
       option(accepted, SO_RCVLOWAT));
  close(fd);
  fact("call: %s", works(accepted, "hello"));
  close(accepted);
  fact("primary: %s", ask_for_echo(primary));
  fact("file descriptors more than before: %d", count_fds() - before);
}

/* listen() first, then getsockname(); and accept() that does not want to know who calls. */
static void null(void) {
  int fd = listening_at(any());
  order_call(fd, "hello");
  int accepted = accept(fd, NULL, NULL);
  fact("accept: %s", result(accepted));
  fact("caller: %s", host(peer_address(accepted)));
  fact("call: %s", works(accepted, "hello"));
}

static void flags(void) {
  int fd = listening_at(any());
  int before = fcntl(fd, F_GETFL) * 256 + fcntl(fd, F_GETFD);
  order_call(fd, "one");
  struct pollfd waiting = {.fd = fd, .events = POLLIN};
  poll(&waiting, 1, 30000);
  int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  fact("accept4: %d %d", fcntl(accepted, F_GETFD) == FD_CLOEXEC, (fcntl(accepted, F_GETFL) & O_NONBLOCK) != 0);
  fact("listening: %s", fcntl(fd, F_GETFL) * 256 + fcntl(fd, F_GETFD) == before ? "as before" : "changed");
  fd = listening_at(any());
  fcntl(fd, F_SETFL, O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fact("accept before the call: %s", result(accept(fd, NULL, NULL)));
  order_call(fd, "two");
  waiting.fd = fd;
  poll(&waiting, 1, 30000);
  accepted = accept(fd, NULL, NULL);
  fact("accept: %d %d", fcntl(accepted, F_GETFD) == FD_CLOEXEC, (fcntl(accepted, F_GETFL) & O_NONBLOCK) != 0);
  fact("listening: %d %d", fcntl(fd, F_GETFD) == FD_CLOEXEC, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  fact("accept4 with a wrong flag: %s", result(accept4(listening_at(any()), NULL, NULL, 1)));
}

/* One after the other, as for a listing and then a file; then two at the same time, the later one called first. */
static void two(void) {
  for (int i = 0; i < 2; ++i) {
    int fd = listening_at(any());
    order_call(fd, "again");
    int accepted = accept(fd, NULL, NULL);
    close(fd);
    fact("call: %s", works(accepted, "again"));
    close(accepted);
  }
  int first = listening_at(any()), second = listening_at(any());
  order_call(second, "second");
  order_call(first, "first");
  fact("first: %s", works(accept(first, NULL, NULL), "first"));
  fact("second: %s", works(accept(second, NULL, NULL), "second"));
}

/* Data that pours in right behind the call, again and again: none is lost, and a call that poll() reports is there. */
static void flood(void) {
  int good = 0, rounds = 100;
  for (int i = 0; i < rounds; ++i) {
    char buffer[65536];
    ssize_t got, sum = 0;
    int fd = listening_at(any());
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    send_line(primary, "flood %s 2000000", plain(local_address(fd)));
    read_line(primary); /* "calling" */
    poll(&waiting, 1, 30000);
    usleep(5 * i); /* at different moments of the flood */
    int accepted = accept(fd, NULL, NULL);
    close(fd);
    while ((got = read(accepted, buffer, sizeof buffer)) > 0)
      sum += got;
    good += sum == 2000000;
    close(accepted);
  }
  fact("whole: %d of %d", good, rounds);
}

/* Waiting for the call with poll() and select(): nothing before it, and then the call. */
static void waiting(void) {
  for (int way = 0; way < 2; ++way) {
    int fd = listening_at(any()), ready;
    struct pollfd waiting = {.fd = fd, .events = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND};
    fact("before: %s", no_more_calls(fd) ? "nothing" : "something");
    order_call(fd, "hello");
    if (way == 0) {
      ready = poll(&waiting, 1, 30000) == 1 && (waiting.revents & POLLIN);
    } else {
      fd_set set;
      struct timeval limit = {.tv_sec = 30};
      FD_ZERO(&set);
      FD_SET(fd, &set);
      ready = select(fd + 1, &set, NULL, NULL, &limit) == 1 && FD_ISSET(fd, &set);
    }
    fact("%s: %s", way ? "select" : "poll", ready ? "a call" : "nothing");
    int accepted = accept(fd, NULL, NULL);
    fact("call: %s", works(accepted, "hello"));
    fact("after: %s", no_more_calls(fd) ? "nothing" : "something");
  }
}

/* After accept() nothing that is done to the listening socket reaches the connection. */
static void silent(void) {
  char name[80], byte;
  int fd = listening_at(any());
  snprintf(name, sizeof name, "%s", local_address(fd));
  fact("SO_ACCEPTCONN: %d, SO_ERROR: %s, peer: %s", option(fd, SO_ACCEPTCONN), so_error(fd), peer_address(fd));
  order(name, "hello");
  int accepted = accept(fd, NULL, NULL);
  fact("SO_ACCEPTCONN: %d, SO_ERROR: %s, peer: %s", option(fd, SO_ACCEPTCONN), so_error(fd), peer_address(fd));
  fact("of the accepted: %d", option(accepted, SO_ACCEPTCONN));
  fact("name: %s", strcmp(name, local_address(fd)) == 0 ? "as advertised" : local_address(fd));
  fact("silent: %s", no_more_calls(fd) ? "yes" : "no");
  fact("read: %s", result(read(fd, &byte, 1)));
  fact("shutdown: %s", result(shutdown(fd, SHUT_WR)));
  fact("read: %s", result(read(fd, &byte, 1)));
  shutdown(fd, SHUT_RDWR);
  close(fd);
  fact("call: %s", works(accepted, "hello"));
  shutdown(accepted, SHUT_WR);
  fact("its end: %s", read_line(accepted));
}

/* The ways to come to a listening socket: no bind() at all, a port of its own choice, the address that the primary reports. */
static void places(void) {
  int fd = tcp_socket(family);
  fact("before bind: %s", local_address(fd));
  listen(fd, 1);
  order_call(fd, "unbound");
  fact("unbound: %s", works(accept(fd, NULL, NULL), "unbound"));
  fd = listening_at("0.0.0.0:47113");
  order_call(fd, "fixed");
  fact("fixed port: %s", works(accept(fd, NULL, NULL), "fixed"));
  char where[80];
  snprintf(where, sizeof where, "%s:0", host(local_address(primary)));
  fd = listening_at(where);
  order_call(fd, "reported");
  fact("the primary's address: %s", works(accept(fd, NULL, NULL), "reported"));
  fact("bind twice: %s", result(bind_to(listening_at(any()), any(), family)));
}

/* Buffers of every size: never more than fits is written, and the length is that of the whole address. */
static void one_buffer(address_call *call, int fd, const char *what) {
  unsigned char whole[128], part[128];
  socklen_t length = sizeof whole;
  int good = call(fd, (struct sockaddr *)whole, &length) == 0;
  socklen_t full = length;
  for (socklen_t room = 0; room <= sizeof part; ++room) {
    memset(part, 0xaa, sizeof part);
    length = room;
    good = good && call(fd, (struct sockaddr *)part, &length) == 0 && length == full &&
           memcmp(part, whole, room < full ? room : full) == 0;
    for (socklen_t i = room; i < sizeof part; ++i)
      good = good && part[i] == 0xaa;
  }
  length = 16;
  fact("%s: %s, length %d, no address: %s", what, good ? "ok" : "wrong", (int)full, result(call(fd, NULL, &length)));
}
static void buffers(void) {
  struct sockaddr_storage storage = {.ss_family = family};
  int fd = tcp_socket(family);
  fact("bind, 128 bytes: %s", result(bind(fd, (struct sockaddr *)&storage, 128)));
  one_buffer(getsockname, primary, "name of the primary");
  one_buffer(getpeername, primary, "peer of the primary");
  one_buffer(getsockname, fd, "name of the listening");
  listen(fd, 1);
  order_call(fd, "hello");
  struct sockaddr_in caller;
  memset(&caller, 0xaa, sizeof caller);
  socklen_t length = 4;
  int accepted = accept(fd, (struct sockaddr *)&caller, &length);
  fact("accept, 4 bytes: family %s, length %d, rest %x", caller.sin_family == family ? "right" : "wrong", (int)length,
       caller.sin_addr.s_addr);
  one_buffer(getsockname, accepted, "name of the accepted");
  one_buffer(getpeername, accepted, "peer of the accepted");
}

/* One process listens, another one accepts. */
static void forked(void) {
  int fd = listening_at(any()), status;
  fflush(stdout);
  if (fork() == 0) {
    order_call(fd, "hello");
    int accepted = accept(fd, NULL, NULL);
    fact("call: %s", works(accepted, "hello"));
    exit(0);
  }
  close(fd);
  wait(&status);
  fact("primary: %s", ask_for_echo(primary));
}

/* A stranger calls: nothing of it comes through. "stranger ADDRESS" is what `app` has a second address for. */
static void stranger(const char *address) {
  int fd = listening_at(any());
  send_line(primary, "call-from %s %s hello", address, local_address(fd));
  fact("primary: %s", read_line(primary));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("silent: %s", no_more_calls(fd) ? "yes" : "no");
  fact("primary: %s", ask_for_echo(primary));
}

/* The server says no to the BIND: so say getsockname() and listen(), and nothing else is harmed. */
static void refused(void) {
  int before = count_fds(), fd = bound(any());
  fact("getsockname: %s", local_address(fd));
  close(fd);
  fd = bound(any());
  fact("listen: %s", result(listen(fd, 1)));
  fact("listen again: %s", result(listen(fd, 1)));
  close(fd);
  fact("primary: %s", ask_for_echo(primary));
  fact("file descriptors more than before: %d", count_fds() - before);
}

int main(int argc, char **argv) {
  const char *mode = argv[1];
  app = argv[2];
  if (argc > 3 && strcmp(argv[3], "-6") == 0)
    family = AF_INET6;
  primary = tcp_socket(family);
  if (connect_to(primary, app, family) != 0)
    die("primary");
  const char *greeting = converse(primary);
  if (strcmp(greeting, "ok") != 0)
    fact("primary: %s", greeting), exit(1);
  static const struct { const char *name; void (*run)(void); } modes[] = {
      {"typical", typical}, {"null", null},       {"flags", flags},     {"two", two},       {"waiting", waiting},
      {"silent", silent},   {"places", places},   {"buffers", buffers}, {"forked", forked}, {"refused", refused},
      {"flood", flood}};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i)
    if (strcmp(mode, modes[i].name) == 0)
      modes[i].run();
  if (strcmp(mode, "stranger") == 0)
    stranger(argv[3]);
}
