/* SPDX-License-Identifier: MIT */
/* Every fault on the way from a name to a connection. */
#include "faults/inject_names/resolve.h"

/* A new name, beside one that is known. */
static void name_with(resolver* how, wait_call* wait) {
  for_each_file(delete_file);
  const int before = count_fds();
  const struct place known = how(other_name, other_port()), place = resolve(how, app_name, app_port());
  require_different(&known, &place);
  app = place.text;
  connect_with(wait);
  require_name_or_none_armed(place.text, app_name);
  require_name(place.text, app_name);
  require_name(known.text, other_name);
  require_reachable(known.text, other_name);
  const struct place again = how(app_name, app_port());
  require_different(&known, &again);
  require_name(again.text, app_name);
  require_no_more_fds(before);
}

SCENARIO(blocking) { name_with(by_getaddrinfo, NULL); }

SCENARIO(poll) { name_with(by_gethostbyname, wait_poll); }

SCENARIO(epoll) { name_with(by_getaddrinfo, wait_epoll); }

SCENARIO(several) {
  static const char third_name[] = "third.inside.test";
  for_each_file(delete_file);
  const struct place one = resolve(by_getaddrinfo, app_name, app_port());
  const struct place two = resolve(by_getaddrinfo, other_name, other_port());
  const struct place three = resolve(by_gethostbyname, third_name, app_port());
  const struct place again = resolve(by_getaddrinfo, app_name, app_port());
  require_different(&one, &two);
  require_different(&one, &three);
  require_different(&two, &three);
  require_different(&again, &two);
  require_different(&again, &three);
  require_reachable(one.text, app_name);
  require_reachable(again.text, app_name);
  require_reachable(two.text, other_name);
  require_name(three.text, third_name);
}

static int has_no_hosts_file(void) {
  return injection->injected && injection->call == call_open &&
         (injection->error == ENOENT || injection->error == EACCES);
}

static void require_at(const char* name, const char* ip) {
  const struct place one = resolve(by_getaddrinfo, name, "1"), two = resolve(by_gethostbyname, name, "1");
  char expected[80];
  snprintf(expected, sizeof expected, "%s:1", ip);
  if (has_no_hosts_file())
    return;
  require_text(name, one.text, expected);
  require_text(name, two.text, expected);
}

/* A name that /etc/hosts knows is never sent to a server, unless that file is missing. */
SCENARIO(local) {
  require_at("localhost", "127.0.0.1");
  require_at("hosts.test", getenv("HOSTS_TEST"));
}
