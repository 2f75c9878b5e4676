#!/bin/bash
# SPDX-License-Identifier: MIT
# Time limits, signals, and the CPU time of waiting: tests/programs/async/time, compared with the kernel where it can be.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"
. "$TOP/tests/lib/cases.sh"

# A sanitizer's own handlers lack SA_RESTART.
left_out=none
[ -z "$runtime" ] || { left_out='restarts_.*' && skip "time: $left_out" "the handlers of a sanitizer lack SA_RESTART"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge time $("$BUILD/programs/time" list | grep -vx "$left_out")
# shellcheck disable=SC2046 # names without blanks
CONTROL=$SLOW SOCKSIFY_TIMEOUT=3 each_case "time: SOCKSIFY_TIMEOUT, %" 4 expire $("$BUILD/programs/expire" list)
