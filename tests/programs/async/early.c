/* SPDX-License-Identifier: MIT */
/* async_early CASE: what a program does to a socket while its connection is on its way, or when it has failed. */
#include "slow.h"
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>

static char buffer[64];

/* Every call that moves data. */
static int some_file(void) {
  static int fd = -1;
  char name[] = "/tmp/async_early.XXXXXX";
  if (fd < 0 && ((fd = mkstemp(name)) < 0 || unlink(name) != 0 || write(fd, "hello\n", 6) != 6))
    die("file");
  return fd;
}
static struct iovec parts[2] = {{buffer, 2}, {buffer + 2, 4}};
static struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
static ssize_t by_read(int fd) { return read(fd, buffer, 6); }
static ssize_t by_readv(int fd) { return readv(fd, parts, 2); }
static ssize_t by_preadv2(int fd) { return preadv2(fd, parts, 2, -1, 0); }
static ssize_t by_recv(int fd) { return recv(fd, buffer, 6, 0); }
static ssize_t by_recv_peek(int fd) { return recv(fd, buffer, 6, MSG_PEEK); }
static ssize_t by_recv_all(int fd) { return recv(fd, buffer, 6, MSG_WAITALL); }
static ssize_t by_recv_trunc(int fd) { return recv(fd, NULL, 6, MSG_TRUNC); }
static ssize_t by_recvfrom(int fd) { return recvfrom(fd, buffer, 6, 0, NULL, NULL); }
static ssize_t by_recvmsg(int fd) { return recvmsg(fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2}, 0); }
static ssize_t by_recvmmsg(int fd) {
  struct mmsghdr one = {.msg_hdr = message};
  int n = recvmmsg(fd, &one, 1, 0, NULL);
  return n < 0 ? n : n == 1 ? (ssize_t)one.msg_len : -2;
}
static ssize_t by_splice_from(int fd) {
  int ends[2];
  if (pipe(ends) != 0)
    die("pipe");
  ssize_t n = splice(fd, NULL, ends[1], NULL, 6, 0), got = n > 0 ? read(ends[0], buffer, 6) : n;
  close(ends[0]), close(ends[1]);
  return got;
}
static ssize_t by_write(int fd) { return write(fd, "hello\n", 6); }
static ssize_t by_writev(int fd) {
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  return writev(fd, two, 2);
}
static ssize_t by_pwritev2(int fd) {
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  return pwritev2(fd, two, 2, -1, 0);
}
static ssize_t by_send(int fd) { return send(fd, "hello\n", 6, 0); }
static ssize_t by_send_more(int fd) { return send(fd, "hello\n", 6, MSG_NOSIGNAL); }
static ssize_t by_sendto(int fd) { return sendto(fd, "hello\n", 6, 0, NULL, 0); }
static ssize_t by_sendmsg(int fd) {
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  return sendmsg(fd, &(struct msghdr){.msg_iov = two, .msg_iovlen = 2}, 0);
}
static ssize_t by_sendmmsg(int fd) {
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  struct mmsghdr one = {.msg_hdr = {.msg_iov = two, .msg_iovlen = 2}};
  int n = sendmmsg(fd, &one, 1, 0);
  return n < 0 ? n : n == 1 ? (ssize_t)one.msg_len : -2;
}
static ssize_t by_sendfile(int fd) { return sendfile(fd, some_file(), &(off_t){0}, 6); }
static ssize_t by_splice_to(int fd) {
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], "hello\n", 6) != 6)
    die("pipe");
  ssize_t n = splice(ends[0], NULL, fd, NULL, 6, 0);
  int error = errno;
  close(ends[0]), close(ends[1]);
  errno = error;
  return n;
}

static const struct {
  const char *name;
  ssize_t (*run)(int fd);
  int reads;
} calls[] = {
    {"read", by_read, 1},           {"readv", by_readv, 1},         {"preadv2", by_preadv2, 1},
    {"recv", by_recv, 1},           {"recv-peek", by_recv_peek, 1}, {"recv-all", by_recv_all, 1},
    {"recv-trunc", by_recv_trunc, 1}, {"recvfrom", by_recvfrom, 1}, {"recvmsg", by_recvmsg, 1},
    {"recvmmsg", by_recvmmsg, 1},   {"splice-from", by_splice_from, 1},
    {"write", by_write, 0},         {"writev", by_writev, 0},       {"pwritev2", by_pwritev2, 0},
    {"send", by_send, 0},           {"send-nosignal", by_send_more, 0}, {"sendto", by_sendto, 0},
    {"sendmsg", by_sendmsg, 0},     {"sendmmsg", by_sendmmsg, 0},   {"sendfile", by_sendfile, 0},
    {"splice-to", by_splice_to, 0},
};
static const int call_count = sizeof calls / sizeof *calls;
static int call_number; /* the one that the case is about */

static const char *returned(ssize_t n) {
  static char number[4][32];
  static int turn;
  if (n < 0)
    return strerrorname_np(errno);
  char *out = number[turn++ % 4];
  snprintf(out, sizeof *number, "%zd", n);
  return out;
}

/* What comes back from the server for what it was sent, without waiting long. */
static const char *comes_back(int fd) {
  static char words[64];
  ssize_t n = recv(blocking(fd), words, sizeof words - 1, 0);
  if (n <= 0)
    return n ? strerrorname_np(errno) : "end";
  words[n] = '\0';
  for (char *c = words; *c; ++c)
    *c = *c == '\n' ? '/' : *c;
  return words;
}

/* Without O_NONBLOCK's wait: EAGAIN until the connection is there, then it works. */
static void without_waiting(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  memset(buffer, '.', 6);
  fact("at once: %s", returned(calls[call_number].run(fd)));
  tell(&server, "await 1");
  fact("soon: %s", returned(calls[call_number].run(fd)));
  tell(&server, "drip 4");
  fact("with half of the reply: %s", returned(calls[call_number].run(fd)));
  fact("in the buffer: %.6s", buffer);
  fact("SO_ERROR: %s", so_error(fd));
  if (calls[call_number].reads)
    tell(&server, "grant hello!");
  else
    tell(&server, "grant");
  fact("poll: %s", polled(fd, calls[call_number].reads ? POLLIN : POLLOUT, -1));
  fact("granted: %s", returned(calls[call_number].run(fd)));
  if (calls[call_number].reads)
    fact("in the buffer: %.6s", call_number == 6 ? "" : buffer); /* all but the one that throws away */
  else
    fact("comes back: %s", comes_back(fd));
  requested(&server, 1);
}

/* Blocking: it waits, and then it works. */
static int fd_of_thread;
static volatile pid_t thread;
static volatile int is_granted;
static void *run_blocking(void *argument) {
  (void)argument;
  memset(buffer, '.', 6);
  thread = gettid();
  ssize_t n = calls[call_number].run(fd_of_thread);
  int error = errno;
  fact("%s: %s", is_granted ? "granted" : "too early", n < 0 ? strerrorname_np(error) : returned(n));
  return NULL;
}
static void in_thread(const struct server *server, const char *command) {
  pthread_t handle;
  thread = 0, is_granted = 0;
  pthread_create(&handle, NULL, run_blocking, NULL);
  while (!thread)
    usleep(1000);
  await_sleep(thread);
  tell(server, "await 1");
  tell(server, "drip 4 %d", strncmp(command, "grant", 5) == 0 ? 90 : strcmp(command, "refuse 93") == 0 ? 93 : 91);
  await_sleep(thread);
  is_granted = 1;
  tell(server, "%s", command);
  pthread_join(handle, NULL);
}
static void with_waiting(void) {
  struct server server = slow_server();
  fd_of_thread = blocking(pending_socket(&server));
  in_thread(&server, calls[call_number].reads ? "grant hello!" : "grant");
  if (calls[call_number].reads)
    fact("in the buffer: %.6s", call_number == 6 ? "" : buffer);
  else
    fact("comes back: %s", comes_back(fd_of_thread));
  fact("peer: %s", peer_of(fd_of_thread, &server));
  requested(&server, 1);
}

/* The answer is a refusal: who asks first is told, once. */
static void answered_by(const char *answer) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "%s", answer);
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("first: %s", returned(calls[call_number].run(fd)));
  fact("second: %s", returned(calls[call_number].run(fd)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
}
static void refused(void) { answered_by("refuse"); }
static void denied(void) { answered_by("refuse 93"); }
static void refused_told(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("SO_ERROR: %s", so_error(fd));
  fact("first: %s", returned(calls[call_number].run(fd)));
  fact("second: %s", returned(calls[call_number].run(fd)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
}
/* Blocking calls that wait for what is then refused. */
static void answered_waiting(const char *answer) {
  struct server server = slow_server();
  fd_of_thread = blocking(pending_socket(&server));
  in_thread(&server, answer);
  fact("SO_ERROR: %s", so_error(fd_of_thread));
  fact("again: %s", returned(calls[call_number].run(fd_of_thread)));
}

static void refused_waiting(void) { answered_waiting("refuse"); }
static void denied_waiting(void) { answered_waiting("refuse 93"); }

static const struct {
  const char *name;
  void (*run)(void);
} kinds[] = {{"nonblocking", without_waiting}, {"blocking", with_waiting}, {"refused", refused},
             {"refused-told", refused_told}, {"refused-waiting", refused_waiting},
             {"denied", denied}, {"denied-waiting", denied_waiting}};

/* connect() again and again. */
static void connect_again(void) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server);
  for (int i = 0; i < 3; ++i)
    fact("connect: %s", result(reach(fd, &server)));
  fact("connect elsewhere: %s", result(reach(fd, &other)));
  fact("bind: %s", result(bind_to(fd, "127.0.0.1:0", AF_INET)));
  fact("listen: %s", result(listen(fd, 1)));
  fact("accept: %s", result(accept(fd, NULL, NULL)));
  fact("no address: %s", result(connect(fd, NULL, 16)));
  fact("short address: %s", result(connect(fd, (struct sockaddr *)buffer, 1)));
  fact("peer: %s", ask(getpeername, fd));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect elsewhere: %s", result(reach(fd, &other)));
  fact("connect: %s", result(reach(fd, &server)));
  connected(fd, &server);
  requested(&server, 1);
  requested(&other, 0);
}
static void getpeername_first(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  fact("peer: %s", ask(getpeername, fd));
  tell(&server, "grant");
  int tries = 0;
  while (strcmp(peer_of(fd, &server), "the destination") != 0 && ++tries < 30000)
    usleep(1000);
  fact("peer: %s", peer_of(fd, &server));
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  connected(fd, &server);
}
static void getpeername_refused(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("peer: %s", ask(getpeername, fd));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", ask(getpeername, fd));
}
/* As hiredis asks: only connect(), after poll(). */
static void ask_connect(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), tries = 0, again;
  fact("connect: %s", result(reach(fd, &server)));
  tell(&server, "grant");
  while ((again = reach(fd, &server)) != 0 && errno == EALREADY && ++tries < 30000)
    usleep(1000);
  fact("connect: %s", result(again));
  fact("connect: %s", result(reach(fd, &server)));
  connected(fd, &server);
}
static void ask_connect_refused(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), tries = 0, again;
  tell(&server, "await 1");
  tell(&server, "refuse");
  while ((again = reach(fd, &server)) != 0 && errno == EALREADY && ++tries < 30000)
    usleep(1000);
  fact("connect: %s", result(again));
  tell(&server, "hold");
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 0));
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
}
/* A blocking connect() takes over what a non-blocking one began; and the other way round. */
static void *run_connect(void *argument) {
  thread = gettid();
  int done = reach(fd_of_thread, argument);
  int error = errno;
  fact("%s: %s", is_granted ? "told" : "too early", done ? strerrorname_np(error) : "ok");
  return NULL;
}
static void connect_blocking_with(const char *command) {
  struct server server = slow_server();
  pthread_t handle;
  fd_of_thread = blocking(pending_socket(&server));
  pthread_create(&handle, NULL, run_connect, &server);
  while (!thread)
    usleep(1000);
  await_sleep(thread);
  is_granted = 1;
  tell(&server, "%s", command);
  pthread_join(handle, NULL);
  if (strcmp(command, "refuse") == 0)
    tell(&server, "hold");
  fact("connect: %s", result(reach(nonblocking(fd_of_thread), &server)));
  fact("SO_ERROR: %s", so_error(fd_of_thread));
  fact("poll: %s", polled(fd_of_thread, POLLIN | POLLOUT, 0));
}
static void connect_blocking(void) { connect_blocking_with("grant"); }
static void connect_blocking_refused(void) { connect_blocking_with("refuse"); }
static void blocking_first(void) {
  struct server server = slow_server();
  pthread_t handle;
  fd_of_thread = tcp_socket(AF_INET);
  pthread_create(&handle, NULL, run_connect, &server);
  while (!thread)
    usleep(1000);
  await_sleep(thread);
  tell(&server, "await 1");
  nonblocking(fd_of_thread);
  fact("peer: %s", ask(getpeername, fd_of_thread));
  fact("poll: %s", polled(fd_of_thread, POLLIN | POLLOUT, 10));
  fact("read: %s", returned(by_read(fd_of_thread)));
  fact("write: %s", returned(by_write(fd_of_thread)));
  is_granted = 1;
  tell(&server, "grant");
  const char *seen = polled(fd_of_thread, POLLOUT, -1);
  pthread_join(handle, NULL); /* which has told its own fact by then */
  fact("poll: %s", seen);
  connected(fd_of_thread, &server);
}

/* The mode changes while the connection is on its way. */
static void mode(void) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET), on = 1, off = 0;
  fact("FIONBIO: %s", result(ioctl(fd, FIONBIO, &on)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("read: %s", returned(by_read(fd)));
  fact("FIONBIO: %s", result(ioctl(fd, FIONBIO, &off)));
  struct timeval limit = {.tv_usec = 20000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fact("read: %s", returned(by_read(fd)));
  fact("write: %s", returned(by_write(fd)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("flags: %x", fcntl(fd, F_GETFL));
  fact("F_SETFL: %s", result(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC)));
  fact("read: %s", returned(by_read(fd)));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("flags: %x", fcntl(fd, F_GETFL));
  memset(&limit, 0, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  connected(fd, &server);
}

/* What a program can ask about a socket whose connection is on its way. */
static int number_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}
static void questions(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), n = -1;
  for (int i = 0; i < 3; ++i) {
    fact("SO_ERROR: %s, SO_ACCEPTCONN: %d, SO_TYPE: %d", so_error(fd), option(fd, SO_ACCEPTCONN), option(fd, SO_TYPE));
    fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
    fact("bytes: %d", n);
    fact("SIOCATMARK: %s", result(ioctl(fd, SIOCATMARK, &n)));
    fact("SIOCOUTQ: %s", result(ioctl(fd, SIOCOUTQ, &n)));
    fact("to send: %d", n);
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    fact("name: %s", result(getsockname(fd, (struct sockaddr *)&name, &length)));
    fact("a port: %d", name.sin_port != 0);
    fact("SO_RCVLOWAT: %d, SO_SNDLOWAT: %d", option(fd, SO_RCVLOWAT), option(fd, SO_SNDLOWAT));
    if (i == 0)
      tell(&server, "await 1");
    if (i == 1)
      tell(&server, "drip 7");
  }
  tell(&server, "grant hello");
  fact("poll: %s", polled(fd, POLLIN, -1));
  fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
  fact("bytes: %d", n);
}

/* Options set while on their way hold afterwards. */
static void options(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server), on = 1;
  struct linger linger = {1, 7};
  fact("TCP_NODELAY: %s", result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)));
  fact("SO_KEEPALIVE: %s", result(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on)));
  fact("SO_LINGER: %s", result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger)));
  fact("SO_OOBINLINE: %s", result(setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on)));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("%d %d %d %d", number_of(fd, IPPROTO_TCP, TCP_NODELAY), option(fd, SO_KEEPALIVE), option(fd, SO_LINGER),
       option(fd, SO_OOBINLINE));
}

/* SO_RCVLOWAT, set before or while on the way, or changed then: of the program's bytes only. */
static void low_water(int before, int pending) {
  struct server server = slow_server();
  int fd = nonblocking_socket();
  if (before)
    fact("before: %s", result(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &before, sizeof before)));
  reach(fd, &server);
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  if (pending >= 0)
    fact("on its way: %s", result(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &pending, sizeof pending)));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  tell(&server, "await 1");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "drip 7");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, -1));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
  tell(&server, "say 123"); /* four bytes */
  fact("poll: %s", polled(fd, POLLIN, 10));
  tell(&server, "say 567");
  fact("poll: %s", polled(fd, POLLIN, -1));
  int n = 0;
  fact("FIONREAD: %s", result(ioctl(fd, FIONREAD, &n)));
  fact("bytes: %d", n);
}
static void low_water_before(void) { low_water(6, -1); }
static void low_water_pending(void) { low_water(0, 6); }
static void low_water_both(void) { low_water(20, 7); }
static void low_water_zero(void) { low_water(6, 0); }
static void low_water_blocking(void) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET), mark = 100;
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
  tell(&server, "grant");
  fact("connect: %s", result(reach(fd, &server)));
  fact("mark: %d", option(fd, SO_RCVLOWAT));
}

/* The connection is given up while on its way. */
static void shut(int how) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  fact("shutdown: %s", result(shutdown(fd, 77)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 10));
  fact("shutdown: %s", result(shutdown(fd, how)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  fact("SO_ERROR: %s", so_error(fd));
  fact("peer: %s", ask(getpeername, fd));
  fact("read: %s", returned(by_read(fd)));
  fact("write: %s", returned(by_write(fd)));
  tell(&server, "gone 1");
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
}
static void shutdown_read(void) { shut(SHUT_RD); }
static void shutdown_write(void) { shut(SHUT_WR); }
static void shutdown_both(void) { shut(SHUT_RDWR); }
static void unspecified(void) {
  struct server server = slow_server(), other = slow_server();
  int fd = pending_socket(&server), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 5};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  fact("connect to nothing: %s", result(connect(fd, &none, sizeof none)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  fact("epoll: %d", epoll_wait(set, &event, 1, 0));
  fact("event: %llx %s", (unsigned long long)event.data.u64, events(event.events));
  fact("peer: %s", ask(getpeername, fd));
  fact("connect: %s", result(reach(fd, &other)));
  fact("epoll: %d", epoll_wait(set, &event, 1, 10));
  tell(&other, "grant");
  fact("epoll: %d", epoll_wait(set, &event, 1, -1));
  fact("event: %llx %s", (unsigned long long)event.data.u64, events(event.events));
  connected(fd, &other);
  fact("connect to nothing: %s", result(connect(fd, &none, sizeof none)));
  fact("peer: %s", ask(getpeername, fd));
}
static void refused_unspecified(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect to nothing: %s", result(connect(fd, &none, sizeof none)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
  tell(&server, "hold");
  fact("connect: %s", result(reach(fd, &server)));
}
static void refused_shutdown(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  tell(&server, "refuse");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("shutdown: %s", result(shutdown(fd, SHUT_RDWR)));
  fact("SO_ERROR: %s", so_error(fd));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT | POLLRDHUP, 0));
}
/* Closed without having asked; the server sees it. */
static void closed(void) {
  struct server server = slow_server();
  int fd = pending_socket(&server);
  tell(&server, "await 1");
  close(fd);
  fact("gone: %s", tell(&server, "gone 1"));
  fact("early: %s", tell(&server, "early"));
}

/* SO_SNDTIMEO bounds connect(). */
static void send_timeout(void) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  struct timeval limit = {.tv_usec = 50000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  fact("write: %s", returned(by_write(fd)));
  fact("peer: %s, SO_ERROR: %s", ask(getpeername, fd), so_error(fd));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("connect: %s", result(reach(fd, &server)));
  connected(fd, &server);
}

/* MSG_FASTOPEN: connect and send. */
static ssize_t fast_sendto(int fd, const struct server *server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = at(server->where, AF_INET, &length);
  return sendto(fd, "hello\n", 6, MSG_FASTOPEN | flags, (struct sockaddr *)&address, length);
}
static ssize_t fast_sendmsg(int fd, const struct server *server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = at(server->where, AF_INET, &length);
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  return sendmsg(fd, &(struct msghdr){.msg_name = &address, .msg_namelen = length, .msg_iov = two, .msg_iovlen = 2},
                 MSG_FASTOPEN | flags);
}
static ssize_t fast_sendmmsg(int fd, const struct server *server, int flags) {
  socklen_t length;
  struct sockaddr_storage address = at(server->where, AF_INET, &length);
  struct iovec two[2] = {{"he", 2}, {"llo\n", 4}};
  struct mmsghdr one = {.msg_hdr = {.msg_name = &address, .msg_namelen = length, .msg_iov = two, .msg_iovlen = 2}};
  int n = sendmmsg(fd, &one, 1, MSG_FASTOPEN | flags);
  return n < 0 ? n : (ssize_t)one.msg_len;
}
typedef ssize_t fast(int fd, const struct server *server, int flags);
static void fast_open(fast *fast_send, int flags) {
  struct server server = slow_server(), held = slow_server(), bad = slow_server();
  tell(&server, "grant");
  int fd = tcp_socket(AF_INET);
  fact("blocking: %s", returned(fast_send(fd, &server, flags)));
  fact("comes back: %s", comes_back(fd));
  fact("peer: %s", peer_of(fd, &server));
  fact("again: %s", returned(fast_send(fd, &server, flags)));
  requested(&server, 1);
  close(fd);

  fd = nonblocking_socket();
  fact("non-blocking: %s", returned(fast_send(fd, &held, flags)));
  fact("again: %s", returned(fast_send(fd, &held, flags)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&held, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  fact("write: %s", returned(by_write(fd)));
  fact("comes back: %s", comes_back(fd));
  requested(&held, 1);

  fd = tcp_socket(AF_INET);
  tell(&bad, "refuse");
  fact("refused: %s", returned(fast_send(fd, &bad, flags)));
  fact("SO_ERROR: %s", so_error(fd));
}
static void fast_sendto_case(void) { fast_open(fast_sendto, 0); }
static void fast_sendmsg_case(void) { fast_open(fast_sendmsg, 0); }
static void fast_sendmmsg_case(void) { fast_open(fast_sendmmsg, 0); }
static void fast_nowait(void) {
  struct server server = slow_server();
  int fd = tcp_socket(AF_INET);
  fact("without waiting: %s", returned(fast_sendto(fd, &server, MSG_DONTWAIT)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
}
static void *run_fast(void *argument) {
  thread = gettid();
  ssize_t n = fast_sendto(fd_of_thread, argument, 0);
  int error = errno;
  fact("%s: %s", is_granted ? "told" : "too early", n < 0 ? strerrorname_np(error) : returned(n));
  return NULL;
}
static void fast_waiting(void) {
  struct server server = slow_server();
  pthread_t handle;
  fd_of_thread = tcp_socket(AF_INET);
  pthread_create(&handle, NULL, run_fast, &server);
  while (!thread)
    usleep(1000);
  await_sleep(thread);
  tell(&server, "await 1");
  is_granted = 1;
  tell(&server, "grant");
  pthread_join(handle, NULL);
  fact("comes back: %s", comes_back(fd_of_thread));
  requested(&server, 1);
}
/* A message with an address on a socket that has not been connected is no connect(), without MSG_FASTOPEN. */
static void address_only(void) {
  struct server server = slow_server();
  tell(&server, "grant");
  int fd = tcp_socket(AF_INET);
  socklen_t length;
  struct sockaddr_storage address = at(server.where, AF_INET, &length);
  fact("sendto: %s", returned(sendto(fd, "hello\n", 6, MSG_NOSIGNAL, (struct sockaddr *)&address, length)));
  fact("peer: %s", ask(getpeername, fd));
  fact("connect: %s", result(reach(fd, &server)));
  fact("sendto, connected: %s", returned(sendto(fd, "hello\n", 6, 0, (struct sockaddr *)&address, length)));
  fact("comes back: %s", comes_back(fd));
}
/* TCP_FASTOPEN_CONNECT: as any connect(), where no cookie is known. */
static void fast_connect(void) {
  struct server server = slow_server();
  int fd = nonblocking_socket(), on = 1;
  fact("option: %s", result(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on)));
  fact("connect: %s", result(reach(fd, &server)));
  fact("poll: %s", polled(fd, POLLIN | POLLOUT, 10));
  tell(&server, "grant");
  fact("poll: %s", polled(fd, POLLOUT, -1));
  connected(fd, &server);
  requested(&server, 1);
}

/* SO_RCVTIMEO and SO_SNDTIMEO on calls that wait for a connection. */
static void timeouts(void) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  struct timeval limit = {.tv_usec = 30000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  for (int i = 0; i < call_count; ++i)
    fact("%s: %s", calls[i].name, returned(calls[i].run(fd)));
}
static void dont_wait(void) {
  struct server server = slow_server();
  int fd = blocking(pending_socket(&server));
  struct msghdr empty = {.msg_iov = parts, .msg_iovlen = 2};
  struct mmsghdr one = {.msg_hdr = empty};
  fact("recv: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT)));
  fact("recv, peeking: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT | MSG_PEEK)));
  fact("recv, all: %s", returned(recv(fd, buffer, 6, MSG_DONTWAIT | MSG_WAITALL)));
  fact("recvfrom: %s", returned(recvfrom(fd, buffer, 6, MSG_DONTWAIT, NULL, NULL)));
  fact("recvmsg: %s", returned(recvmsg(fd, &empty, MSG_DONTWAIT)));
  fact("recvmmsg: %s", returned(recvmmsg(fd, &one, 1, MSG_DONTWAIT, NULL)));
  fact("send: %s", returned(send(fd, "x", 1, MSG_DONTWAIT)));
  fact("sendto: %s", returned(sendto(fd, "x", 1, MSG_DONTWAIT, NULL, 0)));
  fact("sendmsg: %s", returned(sendmsg(fd, &empty, MSG_DONTWAIT)));
  fact("sendmmsg: %s", returned(sendmmsg(fd, &one, 1, MSG_DONTWAIT)));
  fact("preadv2: %s", returned(preadv2(fd, parts, 2, -1, RWF_NOWAIT)));
  fact("pwritev2: %s", returned(pwritev2(fd, parts, 2, -1, RWF_NOWAIT)));
  fact("urgent: %s", returned(recv(fd, buffer, 1, MSG_DONTWAIT | MSG_OOB)));
  fact("error queue: %s", returned(recv(fd, buffer, 1, MSG_DONTWAIT | MSG_ERRQUEUE)));
  fact("nothing: %s", returned(read(nonblocking(fd), buffer, 0)));
  fact("nothing: %s", returned(write(fd, buffer, 0)));
  fact("early: %s", tell(&server, "early"));
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"connect-again", connect_again},
      {"getpeername", getpeername_first},
      {"getpeername-refused", getpeername_refused},
      {"ask-connect", ask_connect},
      {"ask-connect-refused", ask_connect_refused},
      {"connect-blocking", connect_blocking},
      {"connect-blocking-refused", connect_blocking_refused},
      {"blocking-first", blocking_first},
      {"mode", mode},
      {"questions", questions},
      {"options", options},
      {"low-water-before", low_water_before},
      {"low-water-pending", low_water_pending},
      {"low-water-both", low_water_both},
      {"low-water-zero", low_water_zero},
      {"low-water-blocking", low_water_blocking},
      {"shutdown-read", shutdown_read},
      {"shutdown-write", shutdown_write},
      {"shutdown-both", shutdown_both},
      {"unspecified", unspecified},
      {"refused-unspecified", refused_unspecified},
      {"refused-shutdown", refused_shutdown},
      {"closed", closed},
      {"send-timeout", send_timeout},
      {"fast-sendto", fast_sendto_case},
      {"fast-sendmsg", fast_sendmsg_case},
      {"fast-sendmmsg", fast_sendmmsg_case},
      {"fast-nowait", fast_nowait},
      {"fast-waiting", fast_waiting},
      {"address-only", address_only},
      {"fast-connect", fast_connect},
      {"timeouts", timeouts},
      {"dont-wait", dont_wait},
  };
  const char *wanted = argc > 1 ? argv[1] : "list";
  signal(SIGPIPE, SIG_IGN);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k)
    for (int c = 0; c < call_count; ++c) {
      char name[64];
      snprintf(name, sizeof name, "%s.%s", calls[c].name, kinds[k].name);
      if (strcmp(wanted, "list") == 0)
        puts(name);
      if (strcmp(wanted, name) != 0)
        continue;
      call_number = c;
      kinds[k].run();
      return 0;
    }
  return RUN_TESTS(tests, argc, argv);
}
