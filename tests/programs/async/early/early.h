/* SPDX-License-Identifier: MIT */
/* Calls on a socket whose connection is in progress, as facts. */
#pragma once
#include "slow_server.h"

static inline const char* returned(ssize_t n) {
  static char number[4][32];
  static int turn;
  if (n < 0)
    return strerrorname_np(errno);
  char* out = number[turn++ % 4];
  snprintf(out, sizeof *number, "%zd", n);
  return out;
}

/* What comes back from the server for what it was sent, without waiting long. */
static inline const char* comes_back(int fd) {
  static char words[64];
  ssize_t n = recv(blocking(fd), words, sizeof words - 1, 0);
  if (n <= 0)
    return n ? strerrorname_np(errno) : "end";
  words[n] = '\0';
  for (char* c = words; *c; ++c)
    *c = *c == '\n' ? '/' : *c;
  return words;
}
