/* SPDX-License-Identifier: MIT */
/* transfer WAY bulk MIB: reads so much over one connection; transfer WAY up MIB: writes it, until the other side has
   taken all. Prints milliseconds, and milliseconds of CPU time. transfer WAY first COUNT: as many connections, to the
   first byte that comes back. Prints milliseconds for one. transfer WAY ping-pong COUNT: as many times a byte there and
   back. Prints microseconds for one, and of CPU time. */
#include "socks.h"

static void read_all(int fd, long left) {
  static char bytes[65536];
  for (ssize_t got; left > 0; left -= got)
    expect((got = read(fd, bytes, sizeof bytes)) > 0, "read");
}

/* The end of the connection tells that all of it was read. */
static void write_all(int fd, long left) {
  static char bytes[65536];
  for (ssize_t done; left > 0; left -= done)
    expect((done = write(fd, bytes, sizeof bytes)) > 0, "write");
  expect(shutdown(fd, SHUT_WR) == 0 && read(fd, bytes, 1) == 0, "end");
}

static int first_bytes(long count) {
  close(connection()); /* what is looked up once */
  double began = now_us();
  for (long i = 0; i < count; ++i) {
    int fd = connection();
    expect(echoes(fd), "echo");
    close(fd);
  }
  return printf("%f\n", (now_us() - began) / 1e3 / count) < 0;
}

int main(int argc, char** argv) {
  expect(argc == 4, "arguments");
  int is_bulk = strcmp(argv[2], "bulk") == 0, is_up = strcmp(argv[2], "up") == 0;
  begin(argv[1], is_bulk ? GENERATE : is_up ? SINK : ECHO);
  long amount = atol(argv[3]);
  if (strcmp(argv[2], "first") == 0)
    return first_bytes(amount);
  int fd = connection();
  char byte = 0;
  double began = now_us(), cpu_began = cpu_us();
  if (is_bulk)
    read_all(fd, amount << 20);
  else if (is_up)
    write_all(fd, amount << 20);
  else
    for (long i = 0; i < amount; ++i)
      expect(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1, "ping-pong");
  double unit = is_bulk || is_up ? 1e3 : amount;
  printf("%f %f\n", (now_us() - began) / unit, (cpu_us() - cpu_began) / unit);
}
