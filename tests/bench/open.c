/* SPDX-License-Identifier: MIT */
/* open WAY COUNT: opens that many connections and keeps them. Prints the bytes of memory that the process has for each,
   and the microseconds of CPU time for one more. */
#include "socks.h"

enum { MORE = 300, MOST = 65536 };

/* What no other process can share. */
static double private_bytes(void) {
  char line[256];
  double kilobytes = 0, more;
  FILE* file = fopen("/proc/self/smaps_rollup", "r");
  expect(file != NULL, "smaps_rollup");
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "Private_Dirty: %lf", &more) == 1)
      kilobytes += more;
  fclose(file);
  return kilobytes * 1024;
}

int main(int argc, char** argv) {
  expect(argc == 3, "arguments");
  int count = atoi(argv[2]);
  begin(argv[1], ECHO);
  close(connection()); /* what is needed once */
  double before = private_bytes();
  for (int i = 0; i < count; ++i)
    connection();
  double held = private_bytes() - before, began = cpu_us();
  for (int i = 0; i < MORE; ++i)
    connection();
  printf("%f %f\n", held / count, (cpu_us() - began) / MORE);
}
