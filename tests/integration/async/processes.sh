#!/bin/bash
# SPDX-License-Identifier: MIT
# Many threads, parents and children, signal handlers: tests/programs/async/processes, compared with the kernel.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

# A sanitizer's own handlers lack SA_RESTART.
left_out=none
[ -z "$runtime" ] || { left_out=handler_in_connect && skip "processes: handler_in_connect" "the handlers of a sanitizer lack SA_RESTART"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge processes $("$BUILD/programs/processes" list | grep -vxE "$left_out")

# Nothing to compare with here: the kernel does no look-ups.
fork_in_lookup() {
  DESTINATION=$APP PRELOAD=$BUILD/preload/passwd.so client fork_lookup fork_in_look_up
}
start_app
start_socks4d --threads 1
check "processes: fork() during a look-up" fork_in_lookup
