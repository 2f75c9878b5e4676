/* SPDX-License-Identifier: MIT */
/* inject_names SCENARIO PORT OTHER_PORT: every fault on the way from a name that only the SOCKS server knows to a connection
   (SOCKS4A). app.inside.test listens at PORT and other.inside.test at OTHER_PORT, each there alone. Whatever fails, a name
   has an address that leads to it and no other name has, or the program is told that it may try again, and can.
   inject_names connect ADDRESS NAME: the half of a scenario that is left to another program. */
#include "faults/inject_connect.h"
#include <sys/stat.h>

static const char *app_port, *other_port, *own_path;
static const char app_name[] = "app.inside.test", other_name[] = "other.inside.test", third_name[] = "third.inside.test";

/* "IP:PORT"; empty: the program has been told that it cannot be known now. */
struct place { char text[80]; };

static const char *resolver_text(int error) { return error == EAI_SYSTEM ? strerrorname_np(errno) : gai_strerror(error); }

static int may_try_again(int error) {
  return error == EAI_AGAIN || error == EAI_MEMORY || (error == EAI_SYSTEM && errno == injection->error);
}

typedef struct place resolver(const char *name, const char *port);

static struct place by_getaddrinfo(const char *name, const char *port) {
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  struct place place = {""};
  errno = UNTOUCHED;
  const int error = getaddrinfo(name, port, &hints, &list);
  if (error && !may_try_again(error))
    wrong("getaddrinfo %s: %s", name, resolver_text(error));
  if (error)
    return place;
  if (errno != UNTOUCHED)
    wrong("getaddrinfo: success, but errno: %s", strerrorname_np(errno));
  snprintf(place.text, sizeof place.text, "%s", address_text(list->ai_addr));
  if (list->ai_next)
    wrong("two addresses");
  freeaddrinfo(list);
  return place;
}

static struct place by_gethostbyname(const char *name, const char *port) {
  struct hostent entry, *found = NULL;
  char room[1024];
  struct place place = {""};
  int error = 0;
  errno = UNTOUCHED;
  const int status = gethostbyname_r(name, &entry, room, sizeof room, &found, &error);
  if (!found && error != TRY_AGAIN && !(error == NETDB_INTERNAL && status == injection->error))
    wrong("gethostbyname_r %s: %s", name, hstrerror(error));
  if (!found)
    return place;
  if (status != 0 || errno != UNTOUCHED)
    wrong("gethostbyname_r: success, but status %d, errno: %s", status, strerrorname_np(errno));
  snprintf(place.text, sizeof place.text, "%s:%s", inet_ntoa(*(struct in_addr *)entry.h_addr_list[0]), port);
  return place;
}

static struct place resolve(resolver *how, const char *name, const char *port) {
  arm();
  struct place place = how(name, port);
  disarm();
  if (!*place.text)
    place = how(name, port);
  if (!*place.text)
    wrong("%s is not known the second time", name);
  return place;
}

/* What getnameinfo() says of an address; empty: it cannot say now. */
static struct place name_at(const char *where) {
  socklen_t length;
  const struct sockaddr_storage address = parse_address(where, AF_INET, &length);
  struct place place = {""};
  const int error = getnameinfo((const struct sockaddr *)&address, length, place.text, sizeof place.text, NULL, 0, NI_NAMEREQD);
  if (error && error != EAI_NONAME && !may_try_again(error))
    wrong("getnameinfo: %s", resolver_text(error));
  return place;
}

static void expect_name(const char *where, const char *name, int or_none) {
  const struct place place = name_at(where);
  if (strcmp(place.text, name) != 0 && !(or_none && !*place.text))
    wrong("%s is %s, not %s", where, place.text, name);
}

static void expect_reached(const char *where, const char *name) {
  const int fd = tcp_socket(AF_INET);
  set_blocking(fd, 1);
  if (connect_to(fd, where, AF_INET) != 0)
    wrong("%s at %s: %s", name, where, strerrorname_np(errno));
  expect_ok(name, converse(fd));
  close(fd);
}

static void expect_apart(const char *one, const char *other) {
  if (strncmp(one, other, strcspn(one, ":")) == 0)
    wrong("two names have one address: %s", one);
}

/* $SOCKSIFY_SESSION, or where else they may be. */
static void for_each_file(void act(const char *path)) {
  char path[64];
  if (getenv("SOCKSIFY_SESSION"))
    return act(getenv("SOCKSIFY_SESSION"));
  snprintf(path, sizeof path, "/run/user/%d/socksify-names", geteuid());
  act(path);
  snprintf(path, sizeof path, "/dev/shm/socksify-%d-names", geteuid());
  act(path);
}

static void forget(const char *path) { unlink(path); }
static void empty(const char *path) {
  if (truncate(path, 0) != 0 && errno != ENOENT)
    wrong("truncate: %s", strerrorname_np(errno));
}
static void spoil(const char *path) {
  char bytes[4096];
  const int fd = open(path, O_WRONLY);
  for (size_t i = 0; i < sizeof bytes; ++i)
    bytes[i] = i * 37;
  for (int i = 0; fd >= 0 && i < 1024; ++i)
    if (write(fd, bytes, sizeof bytes) != sizeof bytes)
      wrong("write: %s", strerrorname_np(errno));
  close(fd);
}

/* A name that is new, beside one that is known. */
static void name_with(resolver *how, wait_call *wait, const char *first, const char *first_port) {
  for_each_file(forget);
  const int before = count_fds();
  const struct place known = how(first, first_port), place = resolve(how, app_name, app_port);
  expect_apart(known.text, place.text);
  app = place.text;
  connect_with(wait);
  arm();
  expect_name(place.text, app_name, 1);
  disarm();
  expect_name(place.text, app_name, 0);
  expect_name(known.text, first, 0);
  expect_reached(known.text, first);
  const struct place again = how(app_name, app_port);
  expect_apart(known.text, again.text);
  expect_name(again.text, app_name, 0);
  if (count_fds() != before)
    wrong("descriptors: %d, were %d", count_fds(), before);
}

static void run_blocking(void) { name_with(by_getaddrinfo, NULL, other_name, other_port); }
static void run_poll(void) { name_with(by_gethostbyname, wait_poll, other_name, other_port); }
static void run_epoll(void) { name_with(by_getaddrinfo, wait_epoll, other_name, other_port); }

static void run_several(void) {
  for_each_file(forget);
  const struct place one = resolve(by_getaddrinfo, app_name, app_port), two = resolve(by_getaddrinfo, other_name, other_port),
                     three = resolve(by_gethostbyname, third_name, app_port), again = resolve(by_getaddrinfo, app_name, app_port);
  expect_apart(one.text, two.text);
  expect_apart(one.text, three.text);
  expect_apart(two.text, three.text);
  expect_apart(again.text, two.text);
  expect_apart(again.text, three.text);
  expect_reached(one.text, app_name);
  expect_reached(again.text, app_name);
  expect_reached(two.text, other_name);
  expect_name(three.text, third_name, 0);
}

/* The file is lost or spoilt between the two. */
static void without_file(void act(const char *path), wait_call *wait) {
  for_each_file(forget);
  const struct place place = resolve(by_getaddrinfo, app_name, app_port);
  for_each_file(act);
  const struct place second = resolve(by_getaddrinfo, other_name, other_port);
  expect_apart(place.text, second.text);
  app = place.text;
  connect_with(wait);
  expect_name(place.text, app_name, 0);
  expect_reached(second.text, other_name);
}

static void run_lost(void) { without_file(forget, wait_select); }
static void run_empty(void) { without_file(empty, NULL); }
static void run_spoilt(void) { without_file(spoil, wait_read); }

/* What another program has resolved. */
static void run_exec(void) {
  for_each_file(forget);
  const struct place known = by_getaddrinfo(other_name, other_port), place = by_getaddrinfo(app_name, app_port);
  expect_apart(known.text, place.text);
  arm();
  execl(own_path, own_path, "connect", place.text, app_name, NULL);
  expect_told("execl", errno);
  disarm();
  execl(own_path, own_path, "connect", place.text, app_name, NULL);
  wrong("execl once more: %s", strerrorname_np(errno));
}

/* A program that has no memory for its settings connects to nobody. */
static int is_denied(const char *where) {
  const int fd = tcp_socket(AF_INET);
  const int failed = connect_to(fd, where, AF_INET);
  return close(fd), failed && errno == EACCES;
}

static int connect_now(const char *where, const char *name) {
  injection = map_injection();
  disarm();
  if (injection->injected && injection->call == call_mmap && is_denied(where))
    return 0;
  app = where;
  connect_with(NULL);
  arm();
  expect_name(app, name, 1);
  disarm();
  expect_name(app, name, 0);
  return 0;
}

/* What /etc/hosts knows is never asked of a server, unless there is no such file. */
static void expect_at(const char *name, const char *ip) {
  const struct place one = resolve(by_getaddrinfo, name, "1"), two = resolve(by_gethostbyname, name, "1");
  char expected[80];
  snprintf(expected, sizeof expected, "%s:1", ip);
  if (injection->injected && injection->call == call_open && (injection->error == ENOENT || injection->error == EACCES))
    return;
  if (strcmp(one.text, expected) != 0 || strcmp(two.text, expected) != 0)
    wrong("%s is at %s and %s", name, one.text, two.text);
}

static void run_local(void) {
  expect_at("localhost", "127.0.0.1");
  expect_at("hosts.test", getenv("HOSTS_TEST"));
}

static const struct named_scenario scenarios[] = {
    {"blocking", run_blocking}, {"poll", run_poll},   {"epoll", run_epoll}, {"several", run_several}, {"lost", run_lost},
    {"empty", run_empty},       {"spoilt", run_spoilt}, {"exec", run_exec},   {"local", run_local}};

int main(int argc, char **argv) {
  own_path = argv[0];
  if (argc != 4)
    return 2;
  if (strcmp(argv[1], "connect") == 0)
    return connect_now(argv[2], argv[3]);
  app_port = argv[2], other_port = argv[3];
  return inject_by_name(scenarios, sizeof scenarios / sizeof *scenarios, argv[1], 0);
}
