/* SPDX-License-Identifier: MIT */
/* storm SOCKS LISTEN connects COUNT       one after the other: request, reply, a byte there and back, reset
   storm SOCKS LISTEN held COUNT           so many silent clients and so many half-said ones; until standard input ends
   storm SOCKS LISTEN fuzzed COUNT SEED    requests of any shape; what is answered has to be a reply
   storm SOCKS LISTEN resets COUNT         by either side, at every stage; the other side has to hear of it
   storm SOCKS LISTEN stopped COUNT        readers that stop: the writers are stopped, and nothing is lost
   storm SOCKS LISTEN crowd COUNT          more clients than the server has room for; each is served in the end
   SOCKS is the server's IP:PORT, LISTEN the address of this program's own application server. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, MOST = 4096 };

static struct sockaddr_in socks = {.sin_family = AF_INET}, own = {.sin_family = AF_INET};
static struct sockaddr_in unheeded; /* where calls come for clients that do not wait for them */
static int listening, not_heeding;
static long turn; /* for the message */

static void expect(int condition, const char* what) {
  if (condition)
    return;
  fprintf(stderr, "storm: turn %ld: %s: %s\n", turn, what, strerror(errno));
  exit(1);
}

static int ready(int fd, short events, int ms) {
  struct pollfd poll_fd = {fd, events, 0};
  return poll(&poll_fd, 1, ms) == 1;
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct linger at_once = {1, 0}; /* closed by a reset, which leaves nothing behind: ports are few */
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  expect(fd >= 0 && connect(fd, (struct sockaddr*)&socks, sizeof socks) == 0, "connect");
  return fd;
}

static size_t make_request(unsigned char* bytes) {
  const unsigned char head[2] = {4, 1};
  memcpy(bytes, head, 2);
  memcpy(bytes + 2, &own.sin_port, 2);
  memcpy(bytes + 4, &own.sin_addr, 4);
  memcpy(bytes + 8, "storm", 6);
  return 14;
}

static void ask_for(int fd, const struct sockaddr_in* server) {
  unsigned char bytes[32];
  size_t length = make_request(bytes);
  memcpy(bytes + 2, &server->sin_port, 2);
  expect(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length, "send the request");
}

static void ask(int fd) { ask_for(fd, &own); }

static void hear_granted(int fd) {
  unsigned char reply[8];
  expect(ready(fd, POLLIN, PATIENCE_MS), "no reply");
  expect(recv(fd, reply, 8, MSG_WAITALL) == 8 && reply[0] == 0 && reply[1] == 90, "not granted");
}

static int take_call_at(int fd_listening) {
  expect(ready(fd_listening, POLLIN, PATIENCE_MS), "no call");
  int fd = accept(fd_listening, NULL, NULL);
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return fd;
}

static int take_call(void) { return take_call_at(listening); }

static void pass_byte(int from, int to) {
  char byte = 'x';
  expect(send(from, &byte, 1, MSG_NOSIGNAL) == 1, "send");
  expect(ready(to, POLLIN, PATIENCE_MS) && recv(to, &byte, 1, 0) == 1, "a byte is lost");
}

static void connect_once(void) {
  int client = dial();
  ask(client);
  hear_granted(client);
  int server = take_call();
  pass_byte(client, server);
  pass_byte(server, client);
  close(client);
  close(server);
}

static void hold(long count) {
  for (turn = 0; turn < count; ++turn) {
    dial();
    expect(send(dial(), "\4\1\0\120\177", 5, MSG_NOSIGNAL) == 5, "send a half");
  }
  puts("held");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
}

/* --- fuzzed ------------------------------------------------------------------------------------------------------- */

static unsigned long long state;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(state >> 33) % limit;
}

static size_t text(unsigned char* at, unsigned longest) {
  unsigned length = random_below(8) ? random_below(20) : random_below(longest);
  for (unsigned i = 0; i < length; ++i)
    at[i] = 1 + random_below(255);
  return length;
}

/* Names are those that need no network. */
static size_t any_request(unsigned char* bytes) {
  static const unsigned char addresses[][4] = {{0, 0, 0, 1},         {0, 0, 0, 0},   {127, 0, 0, 1},
                                               {255, 255, 255, 255}, {192, 0, 2, 1}, {0, 0, 0, 255}};
  static const char* names[] = {"localhost", "127.0.0.1", "", "0.0.0.0"};
  size_t length = make_request(bytes) - 6;
  if (random_below(8) == 0)
    bytes[0] = random_below(256);
  if (random_below(4) == 0)
    bytes[1] = random_below(4) ? 2 : random_below(256);
  if (random_below(4) == 0)
    bytes[2] = random_below(256);
  if (random_below(2))
    memcpy(bytes + 4, addresses[random_below(6)], 4);
  length += text(bytes + length, 400);
  if (random_below(16) == 0)
    return length;
  bytes[length++] = 0;
  if (bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] != 0) {
    if (random_below(8) == 0) { /* no end */
      memset(bytes + length, 'h', 300);
      return length + random_below(300);
    }
    const char* name = names[random_below(4)];
    memcpy(bytes + length, name, strlen(name) + 1);
    length += strlen(name) + 1;
  }
  return length + (random_below(4) ? 0 : text(bytes + length, 200)); /* early data */
}

static void hear_anything(int fd) {
  unsigned char reply[8];
  if (!ready(fd, POLLIN, random_below(20) ? 0 : 5))
    return;
  ssize_t got = recv(fd, reply, 8, 0);
  expect(got <= 0 || (got == 8 && reply[0] == 0 && reply[1] >= 90 && reply[1] <= 93), "not a reply");
}

static void drop_calls(int fd) {
  while (ready(fd, POLLIN, 0))
    close(take_call_at(fd));
}

static void fuzz_once(void) {
  unsigned char bytes[2048];
  size_t length = any_request(bytes), sent = 0;
  int fd = dial();
  if (random_below(3) == 0)
    length = random_below(length + 1);
  while (sent < length) {
    size_t piece = random_below(3) ? length - sent : 1 + random_below(length - sent);
    ssize_t done = send(fd, bytes + sent, piece, MSG_NOSIGNAL);
    if (done < 0) /* refused already */
      break;
    sent += done;
  }
  if (random_below(3) == 0)
    shutdown(fd, SHUT_WR);
  hear_anything(fd);
  close(fd);
  drop_calls(listening);
}

/* --- resets ------------------------------------------------------------------------------------------------------- */

/* Bytes may come first. */
static void hear_reset(int fd) {
  static char bytes[65536];
  ssize_t got;
  do
    expect(ready(fd, POLLIN, PATIENCE_MS), "nothing is heard of a reset");
  while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0);
  expect(got < 0 && errno == ECONNRESET, "not a reset");
}

static void fill(int fd) {
  static char bytes[65536];
  while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    ;
}

static void reset_once(long stage) {
  int client = dial();
  if (stage == 0 || (stage == 1 && send(client, "\4\1", 2, MSG_NOSIGNAL) == 2)) {
    close(client);
    return;
  }
  if (stage == 2) {
    ask_for(client, &unheeded);
    close(client);
    drop_calls(not_heeding);
    return;
  }
  ask(client);
  hear_granted(client);
  int server = take_call(), by_client = stage % 2;
  int first = by_client ? client : server, other = by_client ? server : client;
  if (stage >= 5)
    fill(stage >= 7 ? first : other);
  close(first);
  hear_reset(other);
  close(other);
}

/* --- stopped readers ---------------------------------------------------------------------------------------------- */

static long send_until_stopped(int fd) {
  static char bytes[65536];
  long total = 0;
  while (ready(fd, POLLOUT, 300)) {
    ssize_t done = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    total += done > 0 ? done : 0;
    expect(total < 64 << 20, "never stopped"); /* two connections with the largest buffers that Linux makes: 20 MiB */
  }
  return total;
}

static void receive_all(int fd, long left) {
  static char bytes[65536];
  for (ssize_t got; left > 0; left -= got) {
    got = ready(fd, POLLIN, PATIENCE_MS) ? recv(fd, bytes, sizeof bytes, 0) : 0;
    expect(got > 0, "bytes are lost");
  }
}

static void stop_readers(long count) {
  static int clients[MOST], servers[MOST];
  static long sent[MOST];
  for (turn = 0; turn < count; ++turn) {
    clients[turn] = dial();
    ask(clients[turn]);
    hear_granted(clients[turn]);
    servers[turn] = take_call();
    sent[turn] = send_until_stopped(turn % 2 ? clients[turn] : servers[turn]);
  }
  puts("held");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
  for (turn = 0; turn < count; ++turn) {
    receive_all(turn % 2 ? servers[turn] : clients[turn], sent[turn]);
    close(clients[turn]);
    close(servers[turn]);
  }
}

/* --- a crowd ------------------------------------------------------------------------------------------------------ */

/* Serves those whose reply has come; how many. Nobody takes their calls, which the backlog has room for. */
static long serve_granted(struct pollfd* clients, long count, int ms) {
  long served = 0;
  expect(poll(clients, count, ms) >= 0, "poll");
  for (turn = 0; turn < count; ++turn) {
    if (clients[turn].fd < 0 || !clients[turn].revents)
      continue;
    hear_granted(clients[turn].fd);
    close(clients[turn].fd);
    clients[turn].fd = -1;
    ++served;
  }
  return served;
}

static void crowd(long count) {
  static struct pollfd clients[MOST];
  for (turn = 0; turn < count; ++turn) {
    clients[turn].fd = dial();
    clients[turn].events = POLLIN;
    ask(clients[turn].fd);
  }
  expect(poll(clients, count, PATIENCE_MS) > 0, "nobody is served");
  puts("held");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0)
    ;
  long first = serve_granted(clients, count, PATIENCE_MS), left = count - first;
  expect(left > 0, "there was room for all");
  for (long served; left > 0; left -= served)
    expect((served = serve_granted(clients, count, PATIENCE_MS)) > 0, "some are never served");
}

static int listen_at(struct sockaddr_in* address) {
  socklen_t length = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  expect(bind(fd, (struct sockaddr*)address, length) == 0 && listen(fd, 1024) == 0, "listen");
  getsockname(fd, (struct sockaddr*)address, &length);
  return fd;
}

int main(int argc, char** argv) {
  char ip[16];
  unsigned short port = 0;
  struct rlimit files;
  expect(argc >= 5 && sscanf(argv[1], "%15[0-9.]:%hu", ip, &port) == 2, "arguments");
  inet_aton(ip, &socks.sin_addr);
  socks.sin_port = htons(port);
  inet_aton(argv[2], &own.sin_addr);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  unheeded = own;
  listening = listen_at(&own);
  not_heeding = listen_at(&unheeded);

  const char* what = argv[3];
  long count = atol(argv[4]);
  state = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
  if (strcmp(what, "held") == 0)
    hold(count);
  else if (strcmp(what, "stopped") == 0)
    stop_readers(count);
  else if (strcmp(what, "crowd") == 0)
    crowd(count);
  else
    for (; turn < count; ++turn)
      *what == 'c' ? connect_once() : *what == 'f' ? fuzz_once() : reset_once(turn % 9);
  return 0;
}
