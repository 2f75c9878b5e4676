#!/bin/bash
# SPDX-License-Identifier: MIT
# Connections without end, however they are closed, leave memory and descriptors where they were; and a look-up costs the
# same with many open: tests/programs/async/memory.c. $CYCLES of them (10000; twenty times as many in make soak).
. "${0%/*}/../../lib/harness.sh"

# A sanitizer keeps memory of its own.
[ -z "$runtime" ] || export NO_RSS=1
cycles=${CYCLES:-10000} # no fewer: 32 bytes lost with each have to be more than what is allowed for
[ -z "$runtime" ] || cycles=2000

bounded() { LIMIT=$((120 + cycles / 500)) prints "bounded: yes, descriptors more: 0" client memory "$1" "$cycles" "$NET.3:7"; }
look_ups() { client memory look-ups 10000 "$NET.3:7" | tee look-ups && has look-ups '^the same: yes'; }

start memory "$BUILD/programs/memory" serve "$NET.1"
announced memory
SOCKS=$ADDRESS
for way in $("$BUILD/programs/memory" list); do check "memory: $cycles connections, $way" bounded "$way"; done
[ -n "$runtime" ] || ! allowed 10500 || check "memory: look-ups with 10,000 connections" look_ups
