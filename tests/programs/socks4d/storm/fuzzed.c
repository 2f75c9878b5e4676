/* SPDX-License-Identifier: MIT */
/* Requests of any shape, from the seed $SEED: whatever the server answers must be a reply. */
#include "socks4d/storm/storm.h"

static unsigned long long state;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(state >> 33) % limit;
}

static size_t random_text(unsigned char* at, unsigned longest) {
  unsigned length = random_below(8) ? random_below(20) : random_below(longest);
  for (unsigned i = 0; i < length; ++i)
    at[i] = 1 + random_below(255);
  return length;
}

/* A random request. Its names can be resolved without a network. */
static size_t random_request(unsigned char* bytes) {
  static const unsigned char addresses[][4] = {{0, 0, 0, 1},         {0, 0, 0, 0},   {127, 0, 0, 1},
                                               {255, 255, 255, 255}, {192, 0, 2, 1}, {0, 0, 0, 255}};
  static const char* names[] = {"localhost", "127.0.0.1", "", "0.0.0.0"};
  size_t length = make_request(bytes, &app) - 6;
  if (random_below(8) == 0)
    bytes[0] = random_below(256);
  if (random_below(4) == 0)
    bytes[1] = random_below(4) ? 2 : random_below(256);
  if (random_below(4) == 0)
    bytes[2] = random_below(256);
  if (random_below(2))
    memcpy(bytes + 4, addresses[random_below(6)], 4);
  length += random_text(bytes + length, 400);
  if (random_below(16) == 0)
    return length;
  bytes[length++] = 0;
  if (bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] != 0) {
    if (random_below(8) == 0) { /* the name has no end */
      memset(bytes + length, 'h', 300);
      return length + random_below(300);
    }
    const char* name = names[random_below(4)];
    memcpy(bytes + length, name, strlen(name) + 1);
    length += strlen(name) + 1;
  }
  return length + (random_below(4) ? 0 : random_text(bytes + length, 200)); /* early data */
}

static void require_reply_or_nothing(int fd) {
  unsigned char reply[8];
  if (!is_ready(fd, POLLIN, random_below(20) ? 0 : 5))
    return;
  ssize_t got = recv(fd, reply, 8, 0);
  require(got <= 0 || (got == 8 && reply[0] == 0 && reply[1] >= 90 && reply[1] <= 93), "not a reply");
}

/* The server may refuse the request before it has received all of it. */
static void send_in_pieces(int fd, const unsigned char* bytes, size_t length) {
  for (size_t sent = 0; sent < length;) {
    size_t piece = random_below(3) ? length - sent : 1 + random_below(length - sent);
    ssize_t done = send(fd, bytes + sent, piece, MSG_NOSIGNAL);
    if (done < 0)
      return;
    sent += done;
  }
}

static void fuzz_once(void) {
  unsigned char bytes[2048];
  size_t length = random_request(bytes);
  int fd = dial();
  if (random_below(3) == 0)
    length = random_below(length + 1);
  send_in_pieces(fd, bytes, length);
  if (random_below(3) == 0)
    shutdown(fd, SHUT_WR);
  require_reply_or_nothing(fd);
  close(fd);
  drop_connections(listening);
}

TEST(fuzzed) {
  set_up();
  state = strtoul(getenv("SEED"), NULL, 10);
  for (long count = count_wanted(); turn < count; ++turn)
    fuzz_once();
}
