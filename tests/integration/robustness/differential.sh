#!/bin/bash
# SPDX-License-Identifier: MIT
# Random socket calls, directly and through the shim: tests/differential/run.py. $SEEDS is
# "FIRST COUNT"; it runs as many as fit into $SEED_SECONDS. The scripts of tests/differential/cases once gave different results.
. "${0%/*}/../../lib/harness.sh"

SEEDS=${SEEDS:-1 400}

start_partners() {
  start partners "$python" -B "$TOP/tests/servers/partners.py" "$NET.3"
  await grep -q "listening on" partners.log || failed_to_start partners
  PARTNERS=$(sed -n 's/.*listening on //p' partners.log)
}

differential() {
  env "${others_options[@]}" "$python" -B "$TOP/tests/differential/run.py" --player "$BUILD/differential/player" --socks "$SOCKS" \
    --library "${runtime:+$runtime:}$BUILD/libsocksify.so" --partners "$PARTNERS" "$@"
}

# shellcheck disable=SC2119 # no more options
start_socks4d
start_partners
for case in "$TOP"/tests/differential/cases/*/*.steps; do
  check "$(basename "$case" .steps)" differential --script "$case"
done
# shellcheck disable=SC2086 # two words: FIRST COUNT
check "random calls" differential --seeds $SEEDS --seconds "${SEED_SECONDS:-10}"
sed -n 's/.*sequences from seed/note &/p' "$WORK/output"
