/* SPDX-License-Identifier: MIT */
/* own_waits IP PORT: connects without blocking and waits by epoll, but enters the kernel for that without libc, as Bun
   does. The library does not see such a wait, which must report what the program asked for and nothing else, and only
   when there is a result. */
#include "net.h"
#include <sys/epoll.h>
#include <sys/syscall.h>

#ifdef __x86_64__
static long own_epoll_wait(int set, struct epoll_event* events, int size, int timeout) {
  register long fourth __asm__("r10") = timeout;
  register long fifth __asm__("r8") = 0;
  long result;
  __asm__ volatile("mov %1, %%eax\n\tsyscall"
                   : "=&a"(result)
                   : "i"(SYS_epoll_pwait), "D"(set), "S"(events), "d"(size), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}
#else
static long own_epoll_wait(int set, struct epoll_event* events, int size, int timeout) {
  return epoll_wait(set, events, size, timeout);
}
#endif

int main(int argc, char** argv) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(argc > 2 ? atoi(argv[2]) : 0)};
  struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 4711};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0 && errno != EINPROGRESS) {
    puts(strerrorname_np(errno));
    return 0;
  }
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  long count = own_epoll_wait(set, &event, 1, 30000);
  printf("events: %ld, writable: %d, data: %d\n", count, event.events == EPOLLOUT, (int)event.data.u64);
  event.events = EPOLLIN;
  epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
  own_epoll_wait(set, &event, 1, 30000);
  char text[4] = "";
  printf("received: %zd, %.3s\n", recv(fd, text, 3, 0), text);
}
