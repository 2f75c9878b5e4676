#!/bin/bash
# SPDX-License-Identifier: MIT
# Connections without end, however they are closed, leave memory and descriptors where they were; and a look-up costs the
# same with many open: tests/programs/async/memory. $CYCLES of them (10000; twenty times as many in make soak).
. "${0%/*}/../../lib/harness.sh"

# A sanitizer keeps memory of its own.
[ -z "$runtime" ] || export NO_RSS=1
cycles=${CYCLES:-10000} # no fewer: 32 bytes lost with each have to be more than what is allowed for
[ -z "$runtime" ] || cycles=2000

bounded() { CYCLES=$cycles DESTINATION=$NET.3:7 LIMIT=$((120 + cycles / 500)) client memory "$1"; }
look_ups() { SOCKETS=10000 DESTINATION=$NET.3:7 client memory look_ups; }

start server "$BUILD/programs/memory_server" "$NET.1"
announced server
SOCKS=$ADDRESS
for way in $("$BUILD/programs/memory" list | grep bounded); do check "memory: $cycles connections, $way" bounded "$way"; done
[ -n "$runtime" ] || ! allowed 10500 || check "memory: look-ups with 10,000 connections" look_ups
