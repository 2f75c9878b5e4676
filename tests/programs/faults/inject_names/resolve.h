/* SPDX-License-Identifier: MIT */
/* Names that only the SOCKS server can resolve (SOCKS4A). app.inside.test listens at $APP_PORT and other.inside.test at
   $OTHER_PORT, each alone. Whatever fails, a name gets an address that leads to it and that no other name has, or the
   program hears that it may try again, and can. */
#pragma once
#include "faults/connect.h"

static const char app_name[] = "app.inside.test", other_name[] = "other.inside.test";

static inline const char* app_port(void) { return getenv("APP_PORT"); }
static inline const char* other_port(void) { return getenv("OTHER_PORT"); }

/* "IP:PORT", or a name; empty if it is not known now. */
struct place {
  char text[80];
};

static inline const char* resolver_text(int error) {
  return error == EAI_SYSTEM ? strerrorname_np(errno) : gai_strerror(error);
}

static inline int may_try_again(int error) {
  return error == EAI_AGAIN || error == EAI_MEMORY || (error == EAI_SYSTEM && errno == injection->error);
}

static inline void require_untouched_errno(const char* call) {
  if (errno != UNTOUCHED)
    fail("%s: success, but errno: %s", call, strerrorname_np(errno));
}

typedef struct place resolver(const char* name, const char* port);

static inline struct place by_getaddrinfo(const char* name, const char* port) {
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo* list = NULL;
  struct place place = {""};
  errno = UNTOUCHED;
  const int error = getaddrinfo(name, port, &hints, &list);
  if (error && !may_try_again(error))
    fail("getaddrinfo %s: %s", name, resolver_text(error));
  if (error)
    return place;
  require_untouched_errno("getaddrinfo");
  snprintf(place.text, sizeof place.text, "%s", address_text(list->ai_addr));
  if (list->ai_next)
    fail("two addresses");
  freeaddrinfo(list);
  return place;
}

static inline struct place by_gethostbyname(const char* name, const char* port) {
  struct hostent entry, *found = NULL;
  char room[1024];
  struct place place = {""};
  int error = 0;
  errno = UNTOUCHED;
  const int status = gethostbyname_r(name, &entry, room, sizeof room, &found, &error);
  if (!found && error != TRY_AGAIN && !(error == NETDB_INTERNAL && status == injection->error))
    fail("gethostbyname_r %s: %s", name, hstrerror(error));
  if (!found)
    return place;
  if (status != 0)
    fail("gethostbyname_r: success, but status %d", status);
  require_untouched_errno("gethostbyname_r");
  snprintf(place.text, sizeof place.text, "%s:%s", inet_ntoa(*(struct in_addr*)entry.h_addr_list[0]), port);
  return place;
}

/* With a fault; without one, the second attempt must succeed. */
static inline struct place resolve(resolver* how, const char* name, const char* port) {
  arm();
  struct place place = how(name, port);
  disarm();
  if (!*place.text)
    place = how(name, port);
  if (!*place.text)
    fail("%s is not known the second time", name);
  return place;
}

/* The name that getnameinfo() returns; empty if it is not known now. */
static inline struct place name_at(const char* where) {
  socklen_t length;
  const struct sockaddr_storage address = parse_address(where, AF_INET, &length);
  struct place place = {""};
  const int error =
      getnameinfo((const struct sockaddr*)&address, length, place.text, sizeof place.text, NULL, 0, NI_NAMEREQD);
  if (error && error != EAI_NONAME && !may_try_again(error))
    fail("getnameinfo: %s", resolver_text(error));
  return place;
}

static inline void require_name(const char* where, const char* name) { require_text(where, name_at(where).text, name); }

static inline void require_name_or_none_armed(const char* where, const char* name) {
  arm();
  const struct place place = name_at(where);
  disarm();
  if (*place.text)
    require_text(where, place.text, name);
}

static inline void require_reachable(const char* where, const char* name) {
  const int fd = tcp_socket(AF_INET);
  set_blocking(fd, 1);
  require_ok(name, result(connect_to(fd, where, AF_INET)));
  require_ok(name, converse(fd));
  close(fd);
}

static inline void require_different(const struct place* one, const struct place* other) {
  if (strncmp(one->text, other->text, strcspn(one->text, ":")) == 0)
    fail("two names have one address: %s", one->text);
}

/* $SOCKSIFY_SESSION, or the two places where the library keeps the names otherwise. */
static inline void for_each_file(void act(const char* path)) {
  char path[64];
  if (getenv("SOCKSIFY_SESSION"))
    return act(getenv("SOCKSIFY_SESSION"));
  snprintf(path, sizeof path, "/run/user/%d/socksify-names", geteuid());
  act(path);
  snprintf(path, sizeof path, "/dev/shm/socksify-%d-names", geteuid());
  act(path);
}

static inline void delete_file(const char* path) { unlink(path); }
