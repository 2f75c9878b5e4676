#!/bin/bash
# SPDX-License-Identifier: MIT
# Each call that the server makes for a client fails in turn, with every errno it can give;
# tests/programs/faults/server_inject knows what it must do then.
. "${0%/*}/../../lib/harness.sh"
export INJECT=$WORK/injection

faults() {
  SOCKS=$SOCKS DESTINATION=$APP SERVER_PID=${servers[-1]} "$BUILD/programs/server_inject" "$1" >"$1.count" || { cat "$1.count" && false; }
}

start_app
# For the server alone. early.so comes before the sanitizer's runtime.
sanitizer_options+=("LD_PRELOAD=${runtime:+$runtime:}$BUILD/preload/inject.so" "ASAN_OPTIONS=$reports:verify_asan_link_order=0")
start_socks4d --threads 1 --log -
for scenario in connect digits refused bind; do
  check "every call, every errno: $scenario" faults "$scenario"
done
note "$(cat ./*.count | awk '/injected/ {n += $2} END {print n}') faults injected"
