#!/bin/bash
# SPDX-License-Identifier: MIT
# Time limits, signals, and what waiting costs: tests/programs/async/time, the kernel being the judge where it can.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

expires() { CONTROL=$SLOW SOCKSIFY_TIMEOUT=3 client expire "$1"; }

# A sanitizer has handlers of its own, without SA_RESTART.
left_out=none
[ -z "$runtime" ] || { left_out='restarts_.*' && skip "time: $left_out" "a sanitizer has handlers of its own"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge time $("$BUILD/programs/time" list | grep -vx "$left_out")
for way in $("$BUILD/programs/expire" list); do check "time: SOCKSIFY_TIMEOUT, $way" expires "$way"; done
