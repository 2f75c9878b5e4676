/* SPDX-License-Identifier: MIT */
/* Every fault of the server while it serves a CONNECT. */
#include "faults/server_inject/server_faults.h"

static int connect_by_address(void) { return connect_by(NULL); }

TEST(connect) {
  map_injection_or_exit();
  inject_all("connect", connect_by_address, 1);
}

/* A name that needs no resolver. */
static int connect_by_digits(void) { return connect_by(destination_ip()); }

TEST(digits) {
  map_injection_or_exit();
  inject_all("digits", connect_by_digits, 0);
}

static int connect_refused(void) {
  char nowhere[80];
  struct sockaddr_in none;
  const int fd = connect_to_server();
  snprintf(nowhere, sizeof nowhere, "%s:1", destination_ip());
  send_request(fd, 1, nowhere, NULL);
  if (receive_reply(fd, &none))
    problem = "granted";
  close(fd);
  return 1;
}

TEST(refused) {
  map_injection_or_exit();
  inject_all("refused", connect_refused, 0);
}

/* $HOST_NAME is a name of the application server. */
static int connect_by_host_name(void) { return connect_by(getenv("HOST_NAME")); }

/* Only the first name of all starts a thread. */
static void inject_into_first_look_up(void) {
  require_working_server(connect_by_address);
  usleep(200000);
  usual_fds = server_fds();
  inject(connect_by_host_name, (struct fault){.call = call_pthread_create, .nth = 1, .error = EAGAIN});
  if (faults_injected != 1)
    fact("the server has a resolver thread already"), exit(1);
}

TEST(host_name) {
  map_injection_or_exit();
  if (!getenv("FROM"))
    inject_into_first_look_up();
  inject_all("host_name", connect_by_host_name, 0);
}
