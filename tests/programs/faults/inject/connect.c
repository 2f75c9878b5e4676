/* SPDX-License-Identifier: MIT */
/* Every fault of a CONNECT to $DESTINATION, in every way of waiting for it. */
#include "faults/connect.h"

static void connect_to_destination(wait_call* wait) {
  app = getenv("DESTINATION");
  connect_with(wait);
}

SCENARIO(blocking) { connect_to_destination(NULL); }

SCENARIO(poll) { connect_to_destination(wait_poll); }

SCENARIO(select) { connect_to_destination(wait_select); }

SCENARIO(epoll) { connect_to_destination(wait_epoll); }

SCENARIO(read) { connect_to_destination(wait_read); }
