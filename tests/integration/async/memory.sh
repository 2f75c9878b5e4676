#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory and descriptors stay bounded over $CYCLES connections (10000; make soak: 200000), however they are closed, and a
# look-up costs the same with many sockets open: tests/programs/async/memory.
. "${0%/*}/../../lib/harness.sh"

# A sanitizer holds on to memory.
[ -z "$runtime" ] || export NO_RSS=1
cycles=${CYCLES:-10000} # enough that 32 bytes lost each time exceed the tolerance
[ -z "$runtime" ] || cycles=2000

bounded() { CYCLES=$cycles DESTINATION=$NET.3:7 LIMIT=$((120 + cycles / 500)) client memory "$1"; }
look_ups() { SOCKETS=10000 DESTINATION=$NET.3:7 client memory look_ups; }

start server "$BUILD/programs/memory_server" "$NET.1"
announced server
SOCKS=$ADDRESS
for way in $("$BUILD/programs/memory" list | grep bounded); do check "memory: $cycles connections, $way" bounded "$way"; done
[ -n "$runtime" ] || ! allowed 10500 || check "memory: look-ups with 10,000 connections" look_ups
