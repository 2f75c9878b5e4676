/* SPDX-License-Identifier: MIT */
/* The connection is granted. */
#include "async/ready/ready.h"

TEST_EACH(granted, way, ways) {
  set_up(way);
  begin_connect(90);
  tell(&server, "grant");
  look("granted", POLLIN | POLLOUT, -1);
  look("again", POLLIN | POLLOUT, 0);
  look("for input", POLLIN, 0);
  check_connected(fd, &server);
  fact("connect: %s", result(reach(fd, &server)));
  fact("connect: %s", result(reach(fd, &server)));
  look("in the end", POLLIN | POLLOUT, 0);
  tell(&server, "end");
  fact("end of the stream: %zd", read(fd, &(char){0}, 1));
  look("after the end", POLLIN | POLLOUT, 0);
}

/* The program waits only for output, and data arrives in the same segment as the last byte of the reply. */
TEST_EACH(data_with_reply, way, ways) {
  set_up(way);
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLOUT, 10);
  tell(&server, "grant words");
  look("granted", POLLOUT, -1);
  fact("connect: %s", result(reach(fd, &server)));
  reads("words");
  look("read", POLLIN, 0);
}

TEST_EACH(input, way, ways) {
  set_up(way);
  fact("connect: %s", result(reach(fd, &server)));
  look("at once", POLLIN, 10);
  tell(&server, "grant");
  tell(&server, "say words"); /* waits for the connection */
  unsigned seen_events = 0;
  for (int tries = 0; !(seen_events & POLLIN) && tries < 300; ++tries)
    seen_events |= used->wait(fd, POLLIN, 100);
  fact("granted: %s", events(seen_events & POLLIN));
  reads("words\n");
  check_connected(fd, &server);
}
