#!/bin/bash
# SPDX-License-Identifier: MIT
# Every call that the server makes for a client fails in turn, with every errno that it can give: what is expected of it
# then is in tests/programs/server_inject.c.
. "${0%/*}/../common.sh"
export INJECT=$WORK/injection

faults() { "$BUILD/programs/server_inject" "$1" "$SOCKS" "$APP" "${servers[-1]}" >"$1.count" || { cat "$1.count" && false; }; }

start_app
sanitizer_options+=("LD_PRELOAD=${runtime:+${runtime#*:}:}$BUILD/preload/inject.so") # for the server alone
start_socks4d --threads 1 --log -
for scenario in connect name refused bind; do
  check "every call, every errno: $scenario" faults "$scenario"
done
note "$(cat ./*.count | awk '/injected/ {n += $2} END {print n}') faults injected"
