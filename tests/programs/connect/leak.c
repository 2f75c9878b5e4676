/* SPDX-License-Identifier: MIT */
/* Sends past the SOCKS server in every way, one line for each. Descriptor 3 is a datagram socket that is connected to
   the address.

     leak connected IP PORT     sends on descriptor 3
     leak addressed IP PORT     sends on sockets of other kinds than the usual datagram socket
     leak blind IP PORT         sends when a system call filter denies getsockopt()
     leak connect IP PORT       connects by TCP */
#include "net.h"
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <net/ethernet.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static struct sockaddr_in to;
static char byte = 'x';
static struct iovec part = {&byte, 1};

static void say(const char* what, long result_of) { fact("%s: %s", what, result(result_of)); }

static long failure(int error) {
  errno = error;
  return -1;
}

static long by_sendmsg(int fd, void* name) {
  struct msghdr message = {.msg_name = name, .msg_namelen = name ? sizeof to : 0, .msg_iov = &part, .msg_iovlen = 1};
  return sendmsg(fd, &message, 0);
}

static long by_sendmmsg(int fd, void* name) {
  struct mmsghdr message = {
      .msg_hdr = {.msg_name = name, .msg_namelen = name ? sizeof to : 0, .msg_iov = &part, .msg_iovlen = 1}};
  return sendmmsg(fd, &message, 1, 0);
}

static long by_sendfile(int fd) {
  FILE* file = tmpfile();
  fwrite(&byte, 1, 1, file);
  fflush(file);
  off_t start = 0;
  return sendfile(fd, fileno(file), &start, 1);
}

static long by_splice(int fd) {
  int pipes[2];
  if (pipe(pipes) != 0 || write(pipes[1], &byte, 1) != 1)
    die("pipe");
  return splice(pipes[0], NULL, fd, NULL, 1, 0);
}

static void connected(void) {
  say("write", write(3, &byte, 1));
  say("writev", writev(3, &part, 1));
  say("pwritev2", pwritev2(3, &part, 1, -1, 0));
  say("send", send(3, &byte, 1, 0));
  say("sendto", sendto(3, &byte, 1, 0, NULL, 0));
  say("sendmsg", by_sendmsg(3, NULL));
  say("sendmmsg", by_sendmmsg(3, NULL));
  say("sendfile", by_sendfile(3));
  say("splice", by_splice(3));
  say("syscall", syscall(SYS_write, 3, &byte, 1));
  say("empty write", write(3, &byte, 0));
}

static void addressed(void) {
  const struct sockaddr* address = (struct sockaddr*)&to;
  const char echo[8] = "\x08\x00\xf7\xff";
  const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), raw_tcp = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
  const int frames = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)), udp_lite = socket(AF_INET, SOCK_DGRAM, 136);
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_ll link = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1, .sll_halen = 6};
  say("raw", sendto(raw, echo, sizeof echo, 0, address, sizeof to));
  say("raw TCP", sendto(raw_tcp, echo, sizeof echo, 0, address, sizeof to));
  say("raw, connect", connect(raw, address, sizeof to));
  say("raw TCP, connect", connect(raw_tcp, address, sizeof to));
  say("packet", sendto(frames, echo, sizeof echo, 0, (struct sockaddr*)&link, sizeof link));
  say("packet, bind", bind(frames, (struct sockaddr*)&link, sizeof link));
  say("packet, write", write(frames, echo, sizeof echo));
  say("UDP-Lite", udp_lite < 0 ? failure(EACCES) : sendto(udp_lite, echo, sizeof echo, 0, address, sizeof to));
  to.sin_family = AF_UNSPEC;
  say("AF_UNSPEC", sendto(udp, &byte, 1, 0, address, sizeof to));
  say("AF_UNSPEC, sendmsg", by_sendmsg(udp, &to));
  say("AF_UNSPEC, sendmmsg", by_sendmmsg(udp, &to));
  say("AF_UNSPEC, connect", connect(udp, address, sizeof to));
}

static void deny_getsockopt(void) {
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    die("seccomp");
}

static void blind(void) {
  const int udp = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
  deny_getsockopt();
  say("sendto", sendto(udp, &byte, 1, 0, (struct sockaddr*)&to, sizeof to));
  say("connect", connect(udp, (struct sockaddr*)&to, sizeof to));
  say("connected", write(3, &byte, 1));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  say("loopback", sendto(other, &byte, 1, 0, (struct sockaddr*)&to, sizeof to));
}

int main(int count, char** words) {
  if (count != 4)
    return 2;
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
  inet_pton(AF_INET, words[2], &to.sin_addr);
  if (strcmp(words[1], "connected") == 0)
    connected();
  else if (strcmp(words[1], "addressed") == 0)
    addressed();
  else if (strcmp(words[1], "blind") == 0)
    blind();
  else
    say("connect", connect(tcp_socket(AF_INET), (struct sockaddr*)&to, sizeof to));
  return 0;
}
