// SPDX-License-Identifier: MIT
// names facts NAME          the result of every call for a name, and for its address
// names family NAME         getaddrinfo() with different families and flags
// names asynchronous NAME   getaddrinfo_a()
// names buffers NAME        the _r calls and getnameinfo(), with buffers of every size
// names connect NAME PORT [-6]
// names udp ADDRESS PORT    datagrams to an address, with every call that sends them
// names query NAME          the resolver calls, which need a DNS server
// names many FIRST COUNT    "name address" for COUNT names, beginning at a different one for each FIRST
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char* kind(const void* bytes, int family) {
  static char text[INET6_ADDRSTRLEN];
  inet_ntop(family, bytes, text, sizeof text);
  const char* figures = strncmp(text, "::ffff:", 7) ? text : text + 7;
  if (!strncmp(figures, "198.18.", 7) || !strncmp(figures, "198.19.", 7))
    return figures == text ? "a stand-in" : "a mapped stand-in";
  return text;
}

static const char* kind_of(const struct sockaddr* address) {
  if (address->sa_family == AF_INET)
    return kind(&((const struct sockaddr_in*)address)->sin_addr, AF_INET);
  return kind(&((const struct sockaddr_in6*)address)->sin6_addr, AF_INET6);
}

static void print_host(const char* call, const struct hostent* host) {
  printf("%s: ", call);
  if (!host) {
    printf("%s\n", hstrerror(h_errno));
    return;
  }
  printf("%s", host->h_name);
  for (char** at = host->h_addr_list; *at; ++at)
    printf(" %s", kind(*at, host->h_addrtype));
  printf("\n");
}

static void print_list(const char* call, const char* node, const char* service, const struct addrinfo* hints) {
  struct addrinfo* list = NULL;
  errno = 0;
  const int error = getaddrinfo(node, service, hints, &list);
  printf("%s:", call);
  if (error)
    printf(" %s", error == EAI_NONAME       ? "NONAME"
                  : error == EAI_NODATA     ? "NODATA"
                  : error == EAI_SERVICE    ? "SERVICE"
                  : error == EAI_BADFLAGS   ? "BADFLAGS"
                  : error == EAI_AGAIN      ? "AGAIN"
                  : error == EAI_ADDRFAMILY ? "ADDRFAMILY"
                                            : gai_strerror(error));
  else if (errno)
    printf(" errno %d", errno);
  for (struct addrinfo* at = list; at; at = at->ai_next) {
    printf(" %s", kind_of(at->ai_addr));
    if (service)
      printf(":%d/%d", ntohs(((struct sockaddr_in*)at->ai_addr)->sin_port), at->ai_socktype);
    if (at->ai_canonname)
      printf(" (%s)", at->ai_canonname);
  }
  printf("\n");
  if (list)
    freeaddrinfo(list);
}

static void facts(const char* name) {
  struct hostent room, *found = NULL;
  char buffer[1024];
  int error = 0;
  print_host("gethostbyname", gethostbyname(name));
  print_host("gethostbyname2", gethostbyname2(name, AF_INET));
  gethostbyname_r(name, &room, buffer, sizeof buffer, &found, &error);
  h_errno = error;
  print_host("gethostbyname_r", found);
  gethostbyname2_r(name, AF_INET, &room, buffer, sizeof buffer, &found, &error);
  h_errno = error;
  print_host("gethostbyname2_r", found);
  print_host("IPv6", gethostbyname2(name, AF_INET6));
  struct hostent* host = gethostbyname(name);
  if (!host || host->h_addrtype != AF_INET)
    return;
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
  memcpy(&in.sin_addr, host->h_addr_list[0], 4);
  print_host("gethostbyaddr", gethostbyaddr(&in.sin_addr, 4, AF_INET));
  gethostbyaddr_r(&in.sin_addr, 4, AF_INET, &room, buffer, sizeof buffer, &found, &error);
  h_errno = error;
  print_host("gethostbyaddr_r", found);
  char text[300] = "", service[32] = "";
  error = getnameinfo((struct sockaddr*)&in, sizeof in, text, sizeof text, service, sizeof service, NI_NAMEREQD);
  printf("getnameinfo: %s %s\n", error ? gai_strerror(error) : text, service);
  error = getnameinfo((struct sockaddr*)&in, sizeof in, text, sizeof text, NULL, 0, NI_NUMERICHOST);
  printf("in figures: %s\n", error ? gai_strerror(error) : kind(&in.sin_addr, AF_INET));
}

static void family(const char* name) {
  const struct addrinfo stream = {.ai_socktype = SOCK_STREAM};
  struct addrinfo hints = stream;
  print_list("stream", name, NULL, &hints);
  hints.ai_family = AF_INET;
  print_list("IPv4", name, NULL, &hints);
  hints.ai_family = AF_INET6;
  print_list("IPv6", name, NULL, &hints);
  hints.ai_flags = AI_V4MAPPED;
  print_list("IPv6, mapped", name, NULL, &hints);
  hints.ai_flags = AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG;
  print_list("IPv6, all", name, NULL, &hints);
  hints = stream;
  hints.ai_flags = AI_CANONNAME | AI_ADDRCONFIG;
  print_list("canonical", name, "http", &hints);
  print_list("no hints", name, "443", NULL);
  hints = stream;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  print_list("passive", name, "21", &hints);
  print_list("service", name, "no-such-service", &stream);
  print_list("service in figures", name, "http", &hints);
  hints.ai_flags = AI_NUMERICHOST;
  print_list("figures only", name, NULL, &hints);
  hints.ai_flags = 0x40000000;
  print_list("bad flags", name, NULL, &hints);
}

// Resolves a name and an address: once it waits, and once a signal reports the end.
static void asynchronous(const char* name) {
  for (int mode = GAI_WAIT; mode <= GAI_NOWAIT; ++mode) {
    struct gaicb one = {.ar_name = name}, other = {.ar_name = "192.0.2.1"}, *list[] = {&one, NULL, &other};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signal = 0;
    const int error = getaddrinfo_a(mode, list, 3, &event);
    if (mode == GAI_NOWAIT)
      sigwait(&set, &signal);
    printf("%s: %d %d %d %s %s\n", mode == GAI_WAIT ? "wait" : "signal", error, gai_error(&one), gai_error(&other),
           one.ar_result ? kind_of(one.ar_result->ai_addr) : "none", signal == SIGUSR1 ? "signalled" : "");
  }
}

static void buffers(const char* name) {
  int too_small = 0, good = 0, wrong = 0;
  for (size_t size = 0; size < 600; ++size) {
    char* buffer = malloc(size);
    struct hostent room, *found = NULL;
    int error = 0;
    const int result = gethostbyname_r(name, &room, buffer, size, &found, &error);
    if (result == ERANGE && !found && error == NETDB_INTERNAL)
      ++too_small;
    else if (result == 0 && found == &room && !strcmp(found->h_name, name) && found->h_addr_list[0])
      ++good;
    else
      ++wrong;
    free(buffer);
  }
  printf("too small: %s, good: %s, wrong: %d\n", too_small ? "some" : "none", good ? "some" : "none", wrong);
  struct addrinfo* list = NULL;
  if (getaddrinfo(name, "80", NULL, &list) != 0)
    return;
  for (size_t size = 1; size < strlen(name) + 3; ++size) {
    char* host = malloc(size);
    const int error = getnameinfo(list->ai_addr, list->ai_addrlen, host, size, NULL, 0, 0);
    if (error != (size <= strlen(name) ? EAI_OVERFLOW : 0))
      printf("getnameinfo, %zu bytes: %s\n", size, gai_strerror(error));
    free(host);
  }
  char service[32];
  printf("service only: %s\n",
         getnameinfo(list->ai_addr, list->ai_addrlen, NULL, 0, service, sizeof service, NI_NUMERICSERV) ? "" : service);
  freeaddrinfo(list);
}

static void connect_to(const char* name, const char* port, int is_six) {
  const struct addrinfo hints = {
      .ai_socktype = SOCK_STREAM, .ai_family = is_six ? AF_INET6 : AF_INET, .ai_flags = AI_V4MAPPED};
  struct addrinfo* list = NULL;
  if (getaddrinfo(name, port, &hints, &list) != 0) {
    printf("not resolved\n");
    return;
  }
  const int fd = socket(list->ai_family, SOCK_STREAM, 0);
  const int failed = connect(fd, list->ai_addr, list->ai_addrlen);
  printf("connect: %s\n", failed ? strerrorname_np(errno) : "ok");
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  char text[300] = "";
  if (!failed && getpeername(fd, (struct sockaddr*)&peer, &length) == 0) {
    printf("peer: %s\n", kind_of((struct sockaddr*)&peer));
    getnameinfo((struct sockaddr*)&peer, length, text, sizeof text, NULL, 0, NI_NAMEREQD);
    printf("its name: %s\n", text);
    printf("the same address: %s\n",
           length == list->ai_addrlen && !memcmp(&peer, list->ai_addr, length) ? "yes" : "no");
  }
  close(fd);
  freeaddrinfo(list);
}

static void say(const char* call, long result) { printf("%s: %s\n", call, result < 0 ? strerrorname_np(errno) : "ok"); }

static void udp(const char* ip, const char* port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, ip, &to.sin_addr);
  const struct sockaddr* address = (struct sockaddr*)&to;
  struct iovec part = {.iov_base = "x", .iov_len = 1};
  struct mmsghdr messages[2] = {
      {.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1}}};
  messages[1] = messages[0];
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  say("sendto", sendto(fd, "x", 1, 0, address, sizeof to));
  say("sendmsg", sendmsg(fd, &messages[0].msg_hdr, 0));
  say("sendmmsg", sendmmsg(fd, messages, 2, 0));
  say("connect", connect(fd, address, sizeof to));
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  messages[0].msg_hdr.msg_name = &here;
  const int other = socket(AF_INET, SOCK_DGRAM, 0);
  printf("sendmmsg, here and there: %d\n", sendmmsg(other, messages, 2, 0));
  close(fd);
  close(other);
}

static void query(const char* name) {
  unsigned char room[512];
  struct __res_state state = {0};
  res_ninit(&state);
  errno = 0;
  say("res_query", res_query(name, 1, 1, room, sizeof room));
  say("res_search", res_search(name, 1, 1, room, sizeof room));
  say("res_querydomain", res_querydomain(name, "", 1, 1, room, sizeof room));
  say("res_nquery", res_nquery(&state, name, 1, 1, room, sizeof room));
  say("res_nsearch", res_nsearch(&state, name, 1, 1, room, sizeof room));
  say("res_nquerydomain", res_nquerydomain(&state, name, "", 1, 1, room, sizeof room));
  unsigned char packet[512];
  const int size = res_mkquery(QUERY, name, 1, 1, NULL, 0, NULL, packet, sizeof packet);
  say("res_send", res_send(packet, size, room, sizeof room));
  say("res_nsend", res_nsend(&state, packet, size, room, sizeof room));
  res_nclose(&state);
}

static void many(int first, int count) {
  for (int i = 0; i < count; ++i) {
    char name[64];
    snprintf(name, sizeof name, "many%d.inside.test", (first * 7 + i) % count);
    struct hostent* host = gethostbyname(name);
    printf("%s %s\n", name, host ? inet_ntoa(*(struct in_addr*)host->h_addr_list[0]) : hstrerror(h_errno));
  }
}

int main(int count, char** words) {
  const char* verb = count > 2 ? words[1] : "";
  if (!strcmp(verb, "facts"))
    facts(words[2]);
  else if (!strcmp(verb, "family"))
    family(words[2]);
  else if (!strcmp(verb, "asynchronous"))
    asynchronous(words[2]);
  else if (!strcmp(verb, "buffers"))
    buffers(words[2]);
  else if (!strcmp(verb, "connect") && count > 3)
    connect_to(words[2], words[3], count > 4);
  else if (!strcmp(verb, "udp") && count > 3)
    udp(words[2], words[3]);
  else if (!strcmp(verb, "query"))
    query(words[2]);
  else if (!strcmp(verb, "many") && count > 3)
    many(atoi(words[2]), atoi(words[3]));
  else
    return 2;
  return 0;
}
