#!/bin/bash
# SPDX-License-Identifier: MIT
# Signals while the SOCKS server takes half a second for its answer: tests/programs/connect/signals.c.
. "${0%/*}/../../lib/harness.sh"

slowly() {
  USERID=connect-slow client signals "$1"
  never_logged faulty "^early"
}

start_app
export DESTINATION=$APP
start_faulty by-userid
if [ -n "$runtime" ]; then skip "restarted" "a sanitizer has handlers of its own, without SA_RESTART"; else check "restarted" slowly restarted; fi
for case in interrupted_then_again interrupted_then_poll interrupted_then_read; do check "$case" slowly "$case"; done
check "interrupted_accept" client signals interrupted_accept
