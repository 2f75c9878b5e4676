/* SPDX-License-Identifier: MIT */
/* A client of the SOCKS server at $SOCKS, which is served or told about a failure, and soon. $DESTINATION is the
   application server. $FROM is the client's own IP, if the server asks an identd there. */
#pragma once
#include "testing.h"
#include <sys/time.h>

static const char* problem; /* the client was neither served nor told about a failure */

static inline const char* destination(void) { return getenv("DESTINATION"); }

static inline const char* destination_ip(void) {
  static char ip[64];
  snprintf(ip, sizeof ip, "%.*s", (int)strcspn(destination(), ":"), destination());
  return ip;
}

static inline int socket_with_limit(void) {
  const int fd = tcp_socket(AF_INET);
  struct timeval limit = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

static inline int connect_to_server(void) {
  const int fd = socket_with_limit();
  if (getenv("FROM") && bind_to(fd, getenv("FROM"), AF_INET) != 0)
    die("bind");
  if (connect_to(fd, getenv("SOCKS"), AF_INET) != 0)
    die("connect to the server");
  return fd;
}

/* With a name this is a SOCKS4A request. If the server has closed the connection already, recv() will tell. */
static inline void send_request(int fd, int command, const char* where, const char* name) {
  socklen_t length;
  const struct sockaddr_storage storage = parse_address(where, AF_INET, &length);
  const struct sockaddr_in* address = (const struct sockaddr_in*)&storage;
  char bytes[128] = {4, command}, *end = bytes + 8;
  memcpy(bytes + 2, &address->sin_port, 2);
  memcpy(bytes + 4, name ? "\0\0\0\1" : (const char*)&address->sin_addr, 4);
  end = stpcpy(end, "user") + 1;
  if (name)
    end = stpcpy(end, name) + 1;
  send(fd, bytes, end - bytes, MSG_NOSIGNAL);
}

/* 92, no identd, is right only if the server could not ask the identd that there is. */
static inline int is_refusal(int code) { return code == 91 || (code == 92 && getenv("FROM")); }

static inline int is_timeout(ssize_t got) { return got < 0 && errno == EAGAIN; }

/* 1: granted; 0: refused, or the server ended the connection. */
static inline int receive_reply(int fd, struct sockaddr_in* address) {
  unsigned char bytes[8];
  const ssize_t got = recv(fd, bytes, sizeof bytes, MSG_WAITALL);
  if (is_timeout(got))
    problem = "no reply";
  if (got == 8 && bytes[0] == 0 && bytes[1] == 90) {
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&address->sin_port, bytes + 2, 2);
    memcpy(&address->sin_addr, bytes + 4, 4);
    return 1;
  }
  if (got == 8 && !is_refusal(bytes[1]))
    problem = "an invalid reply";
  return 0;
}

/* 1: the text arrived; 0: the connection ended. Anything else is a problem. */
static inline int receive(int fd, const char* text) {
  char bytes[4096];
  size_t length = strlen(text), seen = 0;
  while (seen < length) {
    const ssize_t got = recv(fd, bytes, length - seen, 0);
    if (is_timeout(got))
      problem = "bytes are missing, and no end";
    if (got <= 0)
      return 0;
    if (memcmp(bytes, text + seen, got) != 0)
      return problem = "wrong bytes", 0;
    seen += got;
  }
  return 1;
}

static inline int receive_end(int fd) {
  char byte;
  const ssize_t got = recv(fd, &byte, 1, 0);
  if (got > 0 || is_timeout(got))
    problem = got > 0 ? "an extra byte" : "no end";
  return got == 0;
}

static inline int send_text(int fd, const char* text) {
  return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static inline int end_sending(int fd) { return shutdown(fd, SHUT_WR) == 0; }

static inline int is_served(int fd) {
  struct sockaddr_in seen;
  char greeting[64];
  if (!receive_reply(fd, &seen))
    return 0;
  snprintf(greeting, sizeof greeting, "app %s\n", address_text(&seen));
  return receive(fd, greeting) && send_text(fd, "echo hello\n") && receive(fd, "hello\n") && end_sending(fd) &&
         receive_end(fd);
}

/* 1: served; 0: told about a failure. */
static inline int connect_by(const char* name) {
  const int fd = connect_to_server();
  send_request(fd, 1, destination(), name);
  const int served = is_served(fd);
  close(fd);
  return served;
}
