/* SPDX-License-Identifier: MIT */
/* without_cookie COMMAND...: runs it where getsockopt() has no SO_COOKIE, as in some sandboxes and emulators. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char** argv) {
  struct sock_filter steps[] = {FIELD(nr),
                                UNLESS(SYS_getsockopt, 3),
                                FIELD(args[2]),
                                UNLESS(SO_COOKIE, 1),
                                RETURN(SECCOMP_RET_ERRNO | ENOPROTOOPT),
                                RETURN(SECCOMP_RET_ALLOW)};
  struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
  if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
    return perror("prctl"), 2;
  execv(argv[1], argv + 1);
  return perror(argv[1]), 2;
}
