#!/bin/bash
# SPDX-License-Identifier: MIT
# Time limits, signals, and what waiting costs: tests/programs/async/time.c, the kernel being the judge where it can.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

expires() {
  CONTROL=$SLOW SOCKSIFY_TIMEOUT=3 prints "expired: ready
SO_ERROR: ETIMEDOUT
SO_ERROR: 0
gone
connect: ECONNABORTED
connect: EINPROGRESS
poll: OUT
SO_ERROR: 0
peer: the destination
echo: ok" client time "$1.expires"
}
expires_in_connect() {
  CONTROL=$SLOW SOCKSIFY_TIMEOUT=3 prints "connect: ETIMEDOUT
gone
connect: ok
SO_ERROR: 0
peer: the destination
echo: ok" client time connect.expires
}

# A sanitizer has handlers of its own, without SA_RESTART.
left_out=none
[ -z "$runtime" ] || { left_out='restarts-.*' && skip "time: $left_out" "a sanitizer has handlers of its own"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge time $("$BUILD/programs/time" list | grep -vx "$left_out")
for way in poll select epoll epoll-pwait2; do check "time: SOCKSIFY_TIMEOUT in $way" expires $way; done
check "time: SOCKSIFY_TIMEOUT in connect" expires_in_connect
