/* SPDX-License-Identifier: MIT */
/* Rare things that programs do with connections, each seen in a real one. */
#include "testing.h"
#include <netdb.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/syscall.h>

static struct sockaddr_in own_listener(int* listener) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  *listener = tcp_socket(AF_INET);
  if (bind(*listener, (struct sockaddr*)&address, length) != 0 || listen(*listener, 5) != 0 ||
      getsockname(*listener, (struct sockaddr*)&address, &length) != 0)
    die("listen");
  return address;
}

/* io_uring would go past the library. */
TEST(io_uring) {
  char parameters[256] = {0};
  EXPECT_ERROR(syscall(SYS_io_uring_setup, 1, parameters), ENOSYS);
}

struct connecting {
  int fd, error;
  struct sockaddr_in to;
};

static void* connect_in_thread(void* argument) {
  struct connecting* one = argument;
  one->error = connect(one->fd, (struct sockaddr*)&one->to, sizeof one->to) == 0 ? 0 : errno;
  return NULL;
}

/* One thread is in connect(), while another accepts the call, closes it, and reads the first socket: end of file. */
TEST(read_by_another_thread) {
  int listener, bytes = 0, failed = 0;
  struct sockaddr_in to = own_listener(&listener);
  for (int i = 0; i < 1000; ++i) {
    struct connecting one = {.fd = tcp_socket(AF_INET), .to = to};
    pthread_t thread;
    char byte;
    pthread_create(&thread, NULL, connect_in_thread, &one);
    close(accept(listener, NULL, NULL));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(one.fd, &set);
    select(one.fd + 1, &set, NULL, NULL, &(struct timeval){10, 0});
    bytes += recv(one.fd, &byte, 1, 0) > 0;
    pthread_join(thread, NULL);
    failed += one.error != 0;
    close(one.fd);
  }
  EXPECT_INT(bytes, 0);
  EXPECT_INT(failed, 0);
}

static int own_port(int fd) {
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  return getsockname(fd, (struct sockaddr*)&own, &length) == 0 ? ntohs(own.sin_port) : -1;
}

/* getsockname() before anything waited for the connection: what accept() of the other side shows. */
TEST(own_port_at_once) {
  int listener, fd = nonblocking_socket();
  struct sockaddr_in to = own_listener(&listener), peer;
  socklen_t length = sizeof peer;
  connect(fd, (struct sockaddr*)&to, sizeof to);
  accept(listener, (struct sockaddr*)&peer, &length);
  for (int i = 0; i < 6000 && own_port(fd) != ntohs(peer.sin_port); ++i)
    usleep(10000);
  EXPECT_INT(own_port(fd), ntohs(peer.sin_port));
}

/* As for the kernel, 0.0.0.0 is this host. */
TEST(any_address) {
  int listener, fd = tcp_socket(AF_INET);
  struct sockaddr_in to = own_listener(&listener);
  to.sin_addr.s_addr = htonl(INADDR_ANY);
  EXPECT_OK(connect(fd, (struct sockaddr*)&to, sizeof to));
  EXPECT_OK(accept(listener, NULL, NULL));
}

/* The kernel refuses TCP to many: another errno than a SOCKS server's refusal. */
TEST(multicast) {
  EXPECT_ERROR(connect_to(tcp_socket(AF_INET), "224.0.0.1:80", AF_INET), ENETUNREACH);
  EXPECT_ERROR(connect_to(tcp_socket(AF_INET), "255.255.255.255:80", AF_INET), ENETUNREACH);
}

static void expect_address(const struct hostent* found, const char* address) {
  struct in_addr expected;
  inet_aton(address, &expected);
  EXPECT(found && found->h_length == 4 && memcmp(found->h_addr_list[0], &expected, 4) == 0);
}

/* An address needs nobody to resolve it. */
TEST(numeric_host) {
  const char* addresses[] = {"192.0.2.7", "127.1"};
  for (int i = 0; i < 2; ++i) {
    struct hostent room, *found = NULL;
    char buffer[1024];
    int error;
    expect_address(gethostbyname(addresses[i]), addresses[i]);
    expect_address(gethostbyname2(addresses[i], AF_INET), addresses[i]);
    gethostbyname_r(addresses[i], &room, buffer, sizeof buffer, &found, &error);
    expect_address(found, addresses[i]);
    gethostbyname2_r(addresses[i], AF_INET, &room, buffer, sizeof buffer, &found, &error);
    expect_address(found, addresses[i]);
  }
}
