/* SPDX-License-Identifier: MIT */
/* fork_lookup IP:PORT: fork() while another thread's connect() is in the middle of a look-up (tests/preload/passwd.c); then
   the child connects. */
#include "facts.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

static const char *where;

static const char *connected(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  return result(connect_to(fd, where, AF_INET));
}
static void *connects(void *unused) {
  (void)unused;
  return (void *)connected();
}

int main(int argc, char **argv) {
  volatile int *look_up_begun = dlsym(RTLD_DEFAULT, "look_up_begun"), *is_forking = dlsym(RTLD_DEFAULT, "is_forking");
  pthread_t thread;
  void *said;
  int status;
  if (argc != 2 || !look_up_begun)
    return 2;
  where = argv[1];
  pthread_create(&thread, NULL, connects, NULL);
  while (!*look_up_begun)
    sched_yield();
  *is_forking = 1;
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    fact("child: %s", connected());
    _exit(0);
  }
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    fact("child: %s", strsignal(WTERMSIG(status)));
  pthread_join(thread, &said);
  fact("thread: %s", (char *)said);
  return 0;
}
