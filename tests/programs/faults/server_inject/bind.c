/* SPDX-License-Identifier: MIT */
/* Every fault of the server while it serves a BIND. */
#include "faults/server_inject/server_faults.h"

/* A call from the application server's address, or -1. */
static int call_at(const struct sockaddr_in* where) {
  char here[80];
  const int fd = socket_with_limit();
  snprintf(here, sizeof here, "%s:0", destination_ip());
  bind_to(fd, here, AF_INET);
  if (connect(fd, (const struct sockaddr*)where, sizeof *where) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Data and the end of the stream pass in both directions. */
static int is_relayed(int client, int caller) {
  struct sockaddr_in reported;
  return receive_reply(client, &reported) && send_text(caller, "from outside\n") && receive(client, "from outside\n") &&
         send_text(client, "from inside\n") && receive(caller, "from inside\n") && end_sending(caller) &&
         receive_end(client) && end_sending(client) && receive_end(caller);
}

/* The caller, too, must hear about a failure. END makes the server believe that one side has ended its stream: the
   other stream then ends only when the client ends it. */
static void require_end(int client, int caller) {
  if (injection->error == END)
    end_sending(client);
  char rest[64];
  ssize_t got;
  while ((got = recv(caller, rest, sizeof rest, 0)) > 0)
    ;
  if (is_timeout(got))
    problem = "the caller hears nothing";
}

static int bind_by(const char* name) {
  struct sockaddr_in where;
  const int fd = connect_to_server();
  send_request(fd, 2, destination(), name);
  const int caller = receive_reply(fd, &where) ? call_at(&where) : -1;
  const int served = caller >= 0 && is_relayed(fd, caller);
  if (caller >= 0 && !served)
    require_end(fd, caller);
  if (caller >= 0)
    close(caller);
  close(fd);
  return served;
}

static int bind_by_address(void) { return bind_by(NULL); }

TEST(bind) {
  map_injection_or_exit();
  inject_all("bind", bind_by_address, 0);
}

static int bind_by_host_name(void) { return bind_by(getenv("HOST_NAME")); }

TEST(bind_host_name) {
  map_injection_or_exit();
  inject_all("bind_host_name", bind_by_host_name, 0);
}
