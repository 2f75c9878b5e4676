/* SPDX-License-Identifier: MIT */
/* many GOOD BAD: connections that succeed and connections that are refused, again and again, on new sockets and on the same
   one; afterwards there are as many file descriptors as before. */
#include "net.h"

int main(int argc, char **argv) {
  (void)argc;
  int before = count_fds(), good = 0, refused = 0, again = 0, fd;
  for (int i = 0; i < 100; ++i) {
    fd = tcp_socket(AF_INET);
    good += connect_to(fd, argv[1], AF_INET) == 0 && strcmp(converse(fd), "ok") == 0;
    close(fd);
    fd = tcp_socket(AF_INET);
    refused += connect_to(fd, argv[2], AF_INET) != 0 && errno == ECONNREFUSED;
    close(fd);
  }
  fact("good: %d, refused: %d", good, refused);
  fd = tcp_socket(AF_INET);
  for (int i = 0; i < 100; ++i)
    again += connect_to(fd, argv[2], AF_INET) != 0 && errno == ECONNREFUSED;
  fact("the same socket refused: %d, then: %s", again, result(connect_to(fd, argv[1], AF_INET)));
  fact("and talks: %s", converse(fd));
  close(fd);
  fact("file descriptors more than before: %d", count_fds() - before);
}
