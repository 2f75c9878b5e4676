#!/bin/bash
# SPDX-License-Identifier: MIT
# Every call that the server makes for a client fails in turn, with every errno that it can give: what is expected of it
# then is in tests/programs/faults/server_inject.
. "${0%/*}/../../lib/harness.sh"
export INJECT=$WORK/injection

faults() {
  SOCKS=$SOCKS DESTINATION=$APP SERVER_PID=${servers[-1]} "$BUILD/programs/server_inject" "$1" >"$1.count" || { cat "$1.count" && false; }
}

start_app
# For the server alone. Sanitized, it is not the runtime that comes first, but what has it initialized first.
sanitizer_options+=("LD_PRELOAD=${runtime:+$runtime:}$BUILD/preload/inject.so" "ASAN_OPTIONS=$reports:verify_asan_link_order=0")
start_socks4d --threads 1 --log -
for scenario in connect digits refused bind; do
  check "every call, every errno: $scenario" faults "$scenario"
done
note "$(cat ./*.count | awk '/injected/ {n += $2} END {print n}') faults injected"
