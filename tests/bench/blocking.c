/* SPDX-License-Identifier: MIT */
/* blocking WAY COUNT: that many connections, one after the other. Prints microseconds and microseconds of CPU time for
 * one. */
#include "socks.h"

int main(int argc, char** argv) {
  expect(argc == 3, "arguments");
  begin(argv[1], ECHO);
  int count = atoi(argv[2]);
  double began = now_us(), cpu_began = cpu_us();
  for (int i = 0; i < count; ++i)
    close(connection());
  double took = now_us() - began, cpu_took = cpu_us() - cpu_began;
  expect(echoes(connection()), "echo");
  printf("%f %f\n", took / count, cpu_took / count);
}
