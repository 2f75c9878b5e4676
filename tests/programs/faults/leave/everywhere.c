/* SPDX-License-Identifier: MIT */
/* Each act is left at each call that the library makes in it, in every way; the same act works afterwards, in the same
   thread and in another one. */
#include "faults/leave/leave.h"

static void connect_in(int fd, wait_call* wait) {
  set_blocking(fd, !wait);
  const int error = connect_armed(fd, wait);
  if (error)
    fail("connect: %s", strerrorname_np(error));
  require_connected(fd);
}

static void act_blocking(void) { connect_in(own(0, tcp_socket(AF_INET)), NULL); }
static void act_poll(void) { connect_in(own(0, tcp_socket(AF_INET)), wait_poll); }
static void act_select(void) { connect_in(own(0, tcp_socket(AF_INET)), wait_select); }
static void act_read(void) { connect_in(own(0, tcp_socket(AF_INET)), wait_read); }

static void act_epoll(void) {
  struct epoll_event event = {.events = EPOLLOUT};
  const int set = own(1, epoll_create1(EPOLL_CLOEXEC)), fd = own(0, nonblocking(tcp_socket(AF_INET)));
  arm();
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  if (connect_to(fd, app, AF_INET) != 0 && errno == EINPROGRESS)
    epoll_wait(set, &event, 1, 30000);
  disarm();
  require_connected(fd);
}

/* A signal that came during accept(), too late to stop it, takes its result with it, as from the kernel's. */
static volatile int may_have_accepted;

static void close_lost_call(void) {
  for (int fd = 3; may_have_accepted && fd < 100; ++fd)
    if (strcmp(peer_address(fd), "EBADF") != 0 && strcmp(peer_address(fd), "ENOTSOCK") != 0 &&
        strcmp(peer_address(fd), "ENOTCONN") != 0)
      close(fd);
  may_have_accepted = 0;
}

static void act_bind(void) {
  const int primary = own(0, tcp_socket(AF_INET)), fd = own(1, tcp_socket(AF_INET));
  require_ok("primary", result(connect_to(primary, app, AF_INET)));
  require_ok("primary", converse(primary));
  arm();
  require_ok("bind", result(bind_to(fd, "0.0.0.0:0", AF_INET)));
  const char* name = local_address(fd);
  require_ok("listen", result(listen(fd, 1)));
  disarm();
  send_line(primary, "call %s hello", name);
  require_text("order", read_line(primary), "calling");
  arm();
  may_have_accepted = 1;
  const int call = own(2, accept(fd, NULL, NULL));
  may_have_accepted = 0;
  disarm();
  require_text("call", read_line(call), "hello");
}

static const struct act {
  const char* name;
  void (*run)(void);
} acts[] = {{"blocking", act_blocking}, {"poll", act_poll},   {"select", act_select},
            {"read", act_read},         {"epoll", act_epoll}, {"bind", act_bind}};

static const struct act* act;
static const struct way_out* way;

static void run_act(void) { act->run(); }

/* The socket that was left is fresh, still connecting, or connected. */
static void go_on(int fd) {
  if (fd < 0)
    return;
  set_blocking(fd, 1);
  if (connect_to(fd, app, AF_INET) != 0 && errno != EISCONN)
    fail("connect again: %s", strerrorname_np(errno));
  require_text("peer of what was left", peer_address(fd), app);
}

static void leave_once(void) {
  catch_jumps();
  fork_once(); /* libc opens nothing more after this */
  const int before = count_fds();
  run_in_thread(way->run, run_act);
  disarm();
  injection->call = calls;
  go_on(own_fds[0]);
  close_own();
  close_lost_call();
  require_no_more_fds(before);
  fork_once();
  run_in_thread(run_simply, run_act);
  close_own();
  run_act();
  close_own();
  require_no_more_fds(before);
  require_untouched_thread();
}

/* In the middle there are only searches for descriptors. */
static int next_of(int nth, int made) { return nth == 16 && made > 48 ? made - 16 : nth + 1; }

static void leave_everywhere(void) {
  int made[calls];
  map_injection_or_exit();
  app = getenv("DESTINATION");
  count_calls(act->name, run_act, made);
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; nth = next_of(nth, made[call]))
      inject(way->name, leave_once, &(struct fault){.call = call, .nth = nth, .error = way->fault});
  report_faults(act->name);
}

TEST_EACH(jump, each, acts) { act = each, way = &ways_out[0], leave_everywhere(); }
TEST_EACH(cancel, each, acts) { act = each, way = &ways_out[1], leave_everywhere(); }
TEST_EACH(cancel_async, each, acts) { act = each, way = &ways_out[2], leave_everywhere(); }
