#!/bin/bash
# SPDX-License-Identifier: MIT
# Pointers that cannot be used get the kernel's errno: tests/programs/async/bad_pointers.c.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

# The same with the library loaded, but no server named.
inactive() {
  limit env "LD_PRELOAD=${runtime:+$runtime:}$BUILD/libsocksify.so" "$BUILD/programs/bad_pointers" "$1" >inactive
  same "direct.bad_pointers/$1" inactive
}

# A sanitizer's own hooks follow the pointers before ours see them.
[ -z "$runtime" ] || { skip "bad pointers" "a sanitizer does not go with them" && exit; }
start_slow
judge bad_pointers
for case in fresh datagram; do check "inactive: $case" inactive "$case"; done
