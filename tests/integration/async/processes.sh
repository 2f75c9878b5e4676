#!/bin/bash
# SPDX-License-Identifier: MIT
# Many threads, parents and children, signal handlers: tests/programs/async/processes, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

# A sanitizer has handlers of its own, without SA_RESTART.
left_out=none
[ -z "$runtime" ] || { left_out=handler_in_connect && skip "processes: handler_in_connect" "a sanitizer has handlers of its own"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge processes $("$BUILD/programs/processes" list | grep -vxE "$left_out")

# Not of the kernel's judgement: it looks nothing up.
fork_in_lookup() {
  DESTINATION=$APP PRELOAD=$BUILD/preload/passwd.so client fork_lookup fork_in_look_up
}
start_app
start_socks4d --threads 1
check "processes: fork() in the middle of a look-up" fork_in_lookup
