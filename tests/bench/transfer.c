/* SPDX-License-Identifier: MIT */
/* transfer WAY bulk MIB: reads so much over one connection. Prints milliseconds, and milliseconds of CPU time.
   transfer WAY ping-pong COUNT: as many times a byte there and back. Prints microseconds for one, and of CPU time. */
#include "socks.h"

static void read_all(int fd, long left) {
  static char bytes[65536];
  for (ssize_t got; left > 0; left -= got)
    expect((got = read(fd, bytes, sizeof bytes)) > 0, "read");
}

int main(int argc, char** argv) {
  expect(argc == 4, "arguments");
  int is_bulk = strcmp(argv[2], "bulk") == 0;
  begin(argv[1], is_bulk ? GENERATE : ECHO);
  long amount = atol(argv[3]);
  int fd = connection();
  char byte = 0;
  double began = now_us(), cpu_began = cpu_us();
  if (is_bulk)
    read_all(fd, amount << 20);
  else
    for (long i = 0; i < amount; ++i)
      expect(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1, "ping-pong");
  double unit = is_bulk ? 1e3 : amount;
  printf("%f %f\n", (now_us() - began) / unit, (cpu_us() - cpu_began) / unit);
}
