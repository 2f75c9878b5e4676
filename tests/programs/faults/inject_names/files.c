/* SPDX-License-Identifier: MIT */
/* Every fault when the file that processes share is damaged, or when another program resolved the name. */
#include "faults/inject_names/resolve.h"

static void empty_file(const char* path) {
  if (truncate(path, 0) != 0 && errno != ENOENT)
    fail("truncate: %s", strerrorname_np(errno));
}

static void overwrite_file(const char* path) {
  char bytes[4096];
  const int fd = open(path, O_WRONLY);
  for (size_t i = 0; i < sizeof bytes; ++i)
    bytes[i] = i * 37;
  for (int i = 0; fd >= 0 && i < 1024; ++i)
    if (write(fd, bytes, sizeof bytes) != sizeof bytes)
      fail("write: %s", strerrorname_np(errno));
  close(fd);
}

/* The file is damaged after one name was resolved, and before the next one. */
static void with_damage(void damage(const char* path), wait_call* wait) {
  for_each_file(delete_file);
  const struct place place = resolve(by_getaddrinfo, app_name, app_port());
  for_each_file(damage);
  const struct place second = resolve(by_getaddrinfo, other_name, other_port());
  require_different(&place, &second);
  app = place.text;
  connect_with(wait);
  require_name(place.text, app_name);
  require_reachable(second.text, other_name);
}

SCENARIO(deleted) { with_damage(delete_file, wait_select); }

SCENARIO(emptied) { with_damage(empty_file, NULL); }

SCENARIO(overwritten) { with_damage(overwrite_file, wait_read); }

static const char self[] = "/proc/self/exe";

/* This program resolves the name, and another one connects. */
SCENARIO(exec) {
  for_each_file(delete_file);
  const struct place known = by_getaddrinfo(other_name, other_port()), place = by_getaddrinfo(app_name, app_port());
  require_different(&known, &place);
  arm();
  execl(self, self, "connect", place.text, app_name, NULL);
  require_explanation("execl", errno);
  disarm();
  execl(self, self, "connect", place.text, app_name, NULL);
  fail("execl once more: %s", strerrorname_np(errno));
}

/* Without memory for its settings, the library denies every connection. */
static int is_denied(const char* where) {
  const int fd = tcp_socket(AF_INET);
  const int failed = connect_to(fd, where, AF_INET);
  return close(fd), failed && errno == EACCES;
}

static void connect_in_executed_program(const char* where, const char* name) {
  map_injection_or_exit();
  disarm();
  if (injection->injected && injection->call == call_mmap && is_denied(where))
    return;
  app = where;
  connect_with(NULL);
  require_name_or_none_armed(app, name);
  require_name(app, name);
}

/* Runs in the executed program before main(). */
__attribute__((constructor)) static void check_executed(int argc, char** argv) {
  if (argc != 4 || strcmp(argv[1], "connect") != 0)
    return;
  connect_in_executed_program(argv[2], argv[3]);
  exit(0);
}
